// The frame of every page: where one can go, which environment, who is logged in, the palette and its shortcuts.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { NavLink, useLocation, useNavigate } from "react-router";
import * as own from "../api/own";
import { paths } from "../util/path-builder";
import { useSetting } from "../util/settings";
import { Palette, Shortcuts } from "./Palette";

export const AREAS: { name: string; to: string; key: string }[] = [
  { name: "Start", to: paths.start(), key: "s" },
  { name: "Query", to: paths.query(), key: "q" },
  { name: "Traces", to: paths.traces(), key: "t" },
  { name: "Map", to: paths.map(), key: "m" },
  { name: "X-Ray", to: paths.xray(), key: "x" },
  { name: "Logs", to: paths.logs(), key: "l" },
  { name: "Errors", to: paths.errors(), key: "e" },
  { name: "Boards", to: paths.boards(), key: "b" },
  { name: "Settings", to: paths.settings(), key: "," },
];

export function Layout({ children }: { children: ReactNode }) {
  const main = useRef<HTMLElement>(null);
  const location = useLocation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [environment, setEnvironment] = useSetting("environment", "default");
  const [locked, setLocked] = useState(false);
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const who = useQuery({ queryKey: ["session"], queryFn: own.session, retry: false });
  const environments = useQuery({ queryKey: ["environments"], queryFn: own.environments, enabled: !locked });
  const first = useRef(true);

  useEffect(() => {
    const lock = () => setLocked(true);
    addEventListener("tracery:unauthenticated", lock);
    return () => removeEventListener("tracery:unauthenticated", lock);
  }, []);
  // A page that was gone to is read from its beginning.
  useEffect(() => {
    if (!first.current) main.current?.focus({ preventScroll: true });
    first.current = false;
    scrollTo(0, 0);
  }, [location.pathname]);
  useEffect(() => {
    let going = false;
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if ((event.metaKey || event.ctrlKey) && event.key === "k") {
        event.preventDefault();
        setPalette(true);
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable) return;
      if (going) {
        going = false;
        const area = AREAS.find((one) => one.key === event.key);
        if (area) navigate(area.to);
      } else if (event.key === "g") {
        going = true;
        setTimeout(() => { going = false; }, 1200);
      } else if (event.key === "?") setHelp(true);
      else if (event.key === "/") {
        const search = document.querySelector<HTMLElement>("[data-search]");
        if (search) {
          event.preventDefault();
          search.focus();
        }
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [navigate]);

  const known = environments.data ?? [];
  const choices = known.some((one) => one.slug === environment) ? known : [{ slug: environment, name: environment, id: 0 }, ...known];
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to content</a>
      <header className="top">
        <NavLink className="brand" to={paths.start()} aria-label="Tracery, start">
          <img src="/icon.svg" alt="" width="22" height="22" /> <span>Tracery</span>
        </NavLink>
        {!locked && (
          <nav aria-label="Pages">
            {AREAS.map((area) => (
              <NavLink key={area.name} to={area.to} end={area.to === "/"}>{area.name}</NavLink>
            ))}
          </nav>
        )}
        <div className="top-tools">
          {!locked && (
            <>
              <button type="button" className="quiet palette-open" onClick={() => setPalette(true)} title="Go to any page, service, group, query or trace">Go to <kbd>Ctrl K</kbd></button>
              <select aria-label="Environment" value={environment} onChange={(event) => { setEnvironment(event.target.value); void client.resetQueries(); }}>
                {choices.map((one) => (
                  <option key={one.slug} value={one.slug}>{one.name || one.slug}</option>
                ))}
              </select>
            </>
          )}
          <Appearance />
          {who.data?.user && (
            <button type="button" className="quiet" title={`Logged in as ${who.data.user}`} onClick={async () => { await own.logOut(); setLocked(true); void client.resetQueries(); }}>
              Log out
            </button>
          )}
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {locked ? <LogIn done={() => { setLocked(false); void client.resetQueries(); }} /> : children}
      </main>
      {palette && <Palette close={() => setPalette(false)} />}
      {help && <Shortcuts close={() => setHelp(false)} />}
    </>
  );
}

function Appearance() {
  const [theme, setTheme] = useSetting("theme", "system");
  const [zone, setZone] = useSetting("zone", "local");
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    // Canvases took their colours when they were drawn.
    dispatchEvent(new Event("resize"));
  }, [theme]);
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  return (
    <>
      <button type="button" className="quiet" onClick={() => setZone(zone === "utc" ? "local" : "utc")} title="Time zone of all times">{zone === "utc" ? "UTC" : "Local"}</button>
      <button type="button" className="quiet" onClick={() => setTheme(dark ? "light" : "dark")} aria-label="Switch between light and dark">◐</button>
    </>
  );
}

function LogIn({ done }: { done: () => void }) {
  const [failed, setFailed] = useState("");
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    setFailed("");
    try {
      await own.logIn(String(given.get("name")), String(given.get("password")));
      done();
    } catch (error) {
      setFailed(error instanceof Error ? error.message : "The server refused.");
    }
  };
  return (
    <form className="login" onSubmit={submit}>
      <h1>Log in</h1>
      <label className="field"><span>Name</span><input name="name" required autoFocus autoComplete="username" spellCheck={false} /></label>
      <label className="field"><span>Password</span><input name="password" type="password" required autoComplete="current-password" /></label>
      <button>Log in</button>
      <p className="bad" role="alert">{failed}</p>
      <p className="note">The first account is made on the server: <code>tracery users create-admin --name NAME</code></p>
    </form>
  );
}
