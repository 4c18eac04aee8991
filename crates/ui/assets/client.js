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

async function call(path, parameters = {}, body = undefined) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== "" && value !== null && value !== undefined) query.set(name, value);
  }
  const options = { signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(REQUEST_MS_MAX)]), headers: { accept: "application/json" } };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(`/api/v1/${path}?${query}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(error.name === "TimeoutError" ? "The server took longer than a minute." : "The server does not answer.");
  }
  const text = await response.text();
  let answer = null;
  try { answer = text === "" ? null : JSON.parse(text); } catch { /* Reported below. */ }
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
export const query = (dataset, spec) => call("query", { ...here(), dataset }, spec);
export const traces = async (search) => (await call("traces", { ...here(), ...search })).traces ?? [];
export const trace = (id, offset, limit) => call(`traces/${encodeURIComponent(id)}`, { ...here(), offset, limit });
export const savedQueries = async () => (await call("saved_queries", here())).saved_queries ?? [];
export const saveQuery = (name, dataset, spec) => call("saved_queries", here(), { name, dataset, query: spec });
