// How to send here, with this server's address and a key filled in, and whether something has arrived.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "react-router";
import type { CreatedKey } from "../../api/__generated__/api";
import * as logs from "../../api/logs";
import * as own from "../../api/own";
import * as rollbar from "../../api/rollbar";
import { Badge, Card, CodeBlock, Failed, Field, Heading, Tabs } from "../../ui/parts";
import { paths } from "../../util/path-builder";
import { useParameter } from "../../util/url";
import { LANGUAGES, type LanguageName, PRODUCTS, snippet } from "./snippets";

/** What an SDK needs of a new key, in the order in which it is asked for. */
const secretOf = (made: CreatedKey): string => (made.kind === "aws" ? `${made.id} ${made.key}` : made.key);

const SCOPES: Record<string, string[]> = { rollbar: ["post_server_item", "post_client_item"] };

export default function ConnectPage() {
  const [product, setProduct] = useParameter("product", "otlp");
  const [language, setLanguage] = useParameter("language", "Python");
  const [service, setService] = useState("cruddur");
  const [name, setName] = useState("");
  const client = useQueryClient();
  const chosen = PRODUCTS.find((one) => one.id === product) ?? PRODUCTS[0]!;
  const key = useMutation({ mutationFn: () => own.createKey(chosen.keyKind, `${chosen.name}, from the page`, SCOPES[chosen.keyKind] ?? []) });
  const environment = useMutation({ mutationFn: () => own.createEnvironment(name.trim()), onSuccess: () => { setName(""); void client.invalidateQueries({ queryKey: ["environments"] }); } });
  useEffect(() => key.reset(), [product]); // eslint-disable-line
  const secret = key.data ? secretOf(key.data) : "";
  return (
    <>
      <Heading title="Connect" note="The app keeps its SDKs; only endpoints change." />
      <div className="columns wide-left">
        <Card>
          <Tabs label="Product" current={product} choose={setProduct} tabs={PRODUCTS.map((one) => [one.id, one.name])} />
          <p>{chosen.about}</p>
          <div className="row wrap">
            <Field label="Language"><select value={language} onChange={(event) => setLanguage(event.target.value)}>{LANGUAGES.map((one) => <option key={one}>{one}</option>)}</select></Field>
            <Field label="Service or group"><input value={service} onChange={(event) => setService(event.target.value)} /></Field>
            <button type="button" onClick={() => key.mutate()} disabled={key.isPending}>Create a key</button>
          </div>
          {key.error && <Failed error={key.error} />}
          {secret && <div className="warning" role="status"><strong>Your key is filled in below.</strong> It is shown this once: <code>{secret}</code></div>}
          {!secret && <p className="note">On a server without <code>--auth required</code> any key will do.</p>}
          <CodeBlock label={`${chosen.name} in ${language}`} code={snippet(product, language as LanguageName, { origin: location.origin, host: location.host, key: secret, service: service || "my-service" })} />
        </Card>
        <div>
          <Waiting />
          <Card title="A new environment">
            <p className="note">Credentials belong to an environment, and data is kept apart by it.</p>
            <form className="row" onSubmit={(event) => { event.preventDefault(); if (name.trim()) environment.mutate(); }}>
              <input value={name} onChange={(event) => setName(event.target.value)} placeholder="staging" aria-label="Name of the environment" maxLength={255} />
              <button disabled={!name.trim() || environment.isPending}>Create</button>
            </form>
            {environment.error && <Failed error={environment.error} />}
            {environment.data && <p role="status">“{environment.data.name}” is there: choose it in the header.</p>}
          </Card>
        </div>
      </div>
    </>
  );
}

function Waiting() {
  const every = { refetchInterval: 3_000, retry: false } as const;
  const services = useQuery({ queryKey: ["services", 86_400], queryFn: () => own.services(86_400), ...every });
  const groups = useQuery({ queryKey: ["log groups", ""], queryFn: () => logs.groups(""), ...every });
  const items = useQuery({ queryKey: ["items", "newest"], queryFn: () => rollbar.items({ limit: 8 }), ...every });
  const rows: [string, boolean, string, string][] = [
    ["Spans or segments", (services.data?.length ?? 0) > 0, (services.data ?? []).map((one) => one.name).slice(0, 3).join(", "), paths.start()],
    ["Log events", (groups.data?.logGroups.length ?? 0) > 0, (groups.data?.logGroups ?? []).map((one) => one.logGroupName).slice(0, 3).join(", "), paths.logs()],
    ["Errors", (items.data?.items.length ?? 0) > 0, (items.data?.items ?? []).map((one) => `#${one.counter}`).slice(0, 3).join(", "), paths.errors()],
  ];
  return (
    <Card title="Has something arrived?">
      <ul className="waiting" aria-live="polite">
        {rows.map(([title, here, what, to]) => (
          <li key={title}>
            {here ? <><Badge kind="good">received</Badge> <Link to={to}>{title}</Link> <span className="dim">{what}</span></> : <><span className="spinner" aria-hidden="true" /> {title}: waiting for the first…</>}
          </li>
        ))}
      </ul>
    </Card>
  );
}
