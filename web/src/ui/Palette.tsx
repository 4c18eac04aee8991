// Going anywhere by keyboard: pages, saved queries, log groups, and ids that were pasted. And the list of shortcuts.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import * as logs from "../api/logs";
import * as own from "../api/own";
import type { Spec } from "../pages/query/spec";
import { paths } from "../util/path-builder";
import { AREAS } from "./Layout";

interface Choice { title: string; kind: string; to: string }

/** What a pasted text may be the id of. */
export function choicesOfId(text: string): Choice[] {
  const id = text.trim().toLowerCase().replace(/^1-([0-9a-f]{8})-([0-9a-f]{24})$/, "$1$2");
  if (/^[0-9a-f]{32}$/.test(id)) return [{ title: `Request ${id}`, kind: "all four doors", to: paths.request(id) }, { title: `Trace ${id}`, kind: "trace", to: paths.trace(id) }];
  if (/^#?\d{9,}$/.test(id)) return [{ title: `Occurrence ${id}`, kind: "error", to: paths.occurrence(id.replace("#", "")) }];
  return [];
}

export function Palette({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const saved = useQuery({ queryKey: ["saved"], queryFn: own.savedQueries });
  const groups = useQuery({ queryKey: ["log groups", ""], queryFn: () => logs.groups("") });
  const services = useQuery({ queryKey: ["services", 86_400], queryFn: () => own.services(86_400) });
  useEffect(() => dialog.current?.showModal(), []);
  const choices = useMemo(() => {
    const all: Choice[] = [
      ...AREAS.map((area) => ({ title: area.name, kind: "page", to: area.to })),
      { title: "Connect an application", kind: "page", to: paths.connect() },
      { title: "Logs Insights", kind: "page", to: paths.insights() },
      { title: "Deploys", kind: "page", to: paths.deploys() },
      { title: "RQL console", kind: "page", to: paths.rql() },
      ...(saved.data ?? []).map((one) => ({ title: one.name, kind: "saved query", to: paths.query(one.dataset, one.query as Spec) })),
      ...(groups.data?.logGroups ?? []).map((one) => ({ title: one.logGroupName, kind: "log group", to: paths.logGroup(one.logGroupName) })),
      ...(services.data ?? []).map((one) => ({ title: one.name, kind: "service", to: paths.query(one.name) })),
    ];
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return [...choicesOfId(text), ...all.filter((one) => words.every((word) => `${one.title} ${one.kind}`.toLowerCase().includes(word)))].slice(0, 12);
  }, [text, saved.data, groups.data, services.data]);
  const go = (choice: Choice | undefined) => {
    if (!choice) return;
    close();
    navigate(choice.to);
  };
  return (
    <dialog ref={dialog} className="palette" onClose={close} onClick={(event) => event.target === dialog.current && close()} aria-label="Go to anything">
      <input
        autoFocus
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={choices.length > 0 ? `palette-${at}` : undefined}
        placeholder="A page, service, log group, saved query, or a trace id"
        aria-label="Search"
        value={text}
        onChange={(event) => { setText(event.target.value); setAt(0); }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setAt((known) => Math.min(known + 1, choices.length - 1));
          else if (event.key === "ArrowUp") setAt((known) => Math.max(known - 1, 0));
          else if (event.key === "Enter") go(choices[at]);
          else return;
          event.preventDefault();
        }}
      />
      <ul id="palette-list" role="listbox" aria-label="Places">
        {choices.map((choice, index) => (
          <li key={`${choice.kind} ${choice.to}`} id={`palette-${index}`} role="option" aria-selected={index === at} onPointerMove={() => setAt(index)} onClick={() => go(choice)}>
            <span>{choice.title}</span> <span className="dim">{choice.kind}</span>
          </li>
        ))}
      </ul>
      {choices.length === 0 && <p className="note">Nothing is called that. An id has 32 hex digits.</p>}
    </dialog>
  );
}

export function Shortcuts({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const list: [string, string][] = [
    ["Ctrl K", "go to anything"], ["/", "to the page's search"], ["?", "this list"], ["Ctrl Enter", "run what the editor holds"],
    ...AREAS.map((area): [string, string] => [`g ${area.key}`, area.name]),
    ["j / k", "next and previous row of a trace"], ["n / p", "next and previous match in a trace"],
  ];
  return (
    <dialog ref={dialog} className="shortcuts" onClose={close} onClick={(event) => event.target === dialog.current && close()} aria-labelledby="shortcuts-title">
      <h2 id="shortcuts-title">Keyboard</h2>
      <dl className="facts">
        {list.map(([key, what]) => (
          <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>
        ))}
      </dl>
      <button type="button" className="quiet" onClick={close}>Close</button>
    </dialog>
  );
}
