// The JSON API of the server this page came from. One function a resource; every call belongs to the environment
// that the header shows and is given up when the page that asked is left.

const REQUEST_MS_MAX = 60000;
let leaving = new AbortController();

export const environment = {
  get() { return localStorage.getItem("tracery.environment") || "default"; },
  set(slug) { localStorage.setItem("tracery.environment", slug); },
};

/** Gives up everything that is under way: another page is about to be shown. */
export function abandon() {
  leaving.abort();
  leaving = new AbortController();
}

function address(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== "" && value !== null && value !== undefined) query.set(name, value);
  }
  return `/api/v1/${path}?${query}`;
}

async function send(path, parameters, { method = "GET", body, accept = "application/json", signal } = {}) {
  const signals = [leaving.signal, AbortSignal.timeout(REQUEST_MS_MAX), ...(signal ? [signal] : [])];
  const options = { method, signal: AbortSignal.any(signals), headers: { accept } };
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  try {
    return await fetch(address(path, parameters), options);
  } catch (error) {
    throw unanswered(error);
  }
}

function unanswered(error) {
  if (error.name === "AbortError") return error;
  return new Error(error.name === "TimeoutError" ? "The server took longer than a minute." : "The server does not answer.");
}

async function call(path, parameters = {}, body = undefined, method = body === undefined ? "GET" : "POST") {
  const response = await send(path, parameters, { method, body });
  if (response.status === 204) return null;
  return read(response, path);
}

async function read(response, path) {
  const text = await response.text();
  let answer = null;
  try { answer = text === "" ? null : JSON.parse(text); } catch { /* Reported below. */ }
  // The frame asks for a name and a password then; a wrong password is for the form to say.
  if (response.status === 401 && path !== "session") dispatchEvent(new Event("unauthenticated"));
  if (!response.ok) {
    const reason = answer?.error?.message ?? answer?.detail ?? answer?.error ?? answer?.message;
    throw new Error(`${typeof reason === "string" ? reason : "The server refused"} (${response.status})`);
  }
  if (answer === null) throw new Error("The server's answer is not JSON.");
  return answer;
}

const here = () => ({ environment: environment.get() });

export const environments = async () => (await call("environments")).environments ?? [];
export const services = async (seconds) => (await call("services", { ...here(), seconds })).services ?? [];
export const fields = async (dataset) => (await call("fields", { ...here(), dataset })).fields ?? [];
export const values = async (dataset, field, prefix) => (await call("values", { ...here(), dataset, field, prefix })).values ?? [];
export const session = () => call("session");
export const logIn = (name, password) => call("session", {}, { name, password });
export const logOut = () => call("session", {}, undefined, "DELETE");

/** Asks a question. `progress` gets the figures of the scan while it runs; aborting `signal` cancels it at the server. */
export async function query(dataset, spec, progress, signal) {
  const response = await send("query", { ...here(), dataset }, { method: "POST", body: spec, accept: "text/event-stream", signal });
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return read(response, "query");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => { throw unanswered(error); });
    if (done) throw new Error("The answer broke off.");
    // What was there before has no end of an event, but for its last letter.
    const looked = Math.max(0, text.length - 1);
    text += value;
    for (let end = text.indexOf("\n\n", looked); end >= 0; end = text.indexOf("\n\n")) {
      const line = (name) => text.slice(0, end).split("\n").find((one) => one.startsWith(name))?.slice(name.length).trim();
      const [event, data] = [line("event:"), line("data:")];
      text = text.slice(end + 2);
      if (event === "progress") progress(JSON.parse(data));
      else if (event === "result") return JSON.parse(data);
      else if (event === "error") throw new Error(JSON.parse(data).error.message);
    }
  }
}

export const traces = async (search) => (await call("traces", { ...here(), ...search })).traces ?? [];
export const trace = (id, cursor, limit) => call(`traces/${encodeURIComponent(id)}`, { ...here(), cursor, limit });
export const savedQueries = async () => (await call("saved_queries", { ...here(), limit: 1000 })).saved_queries ?? [];
export const saveQuery = (name, dataset, spec) => call("saved_queries", here(), { name, dataset, query: spec });
