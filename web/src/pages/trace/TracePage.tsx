// One trace: waterfall, minimap, search, critical path, the chosen span beside it.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { Link, useParams } from "react-router";
import * as own from "../../api/own";
import { rawTrace, xrayId } from "../../api/xray";
import { criticalPath, hues, colourKey, matches, type Node, treeOf, unfolded, visible } from "../../trace/model";
import { Minimap } from "../../trace/Minimap";
import { SpanDetails } from "../../trace/SpanDetails";
import { Waterfall } from "../../trace/Waterfall";
import { Badge, CodeBlock, Copy, Empty, Failed, Heading, Loading, Warning } from "../../ui/parts";
import { clock, duration, plural } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";
import { useParameter } from "../../util/url";
import { ApiError } from "../../api/client";

const SPANS_MAX = 100_000;

export default function TracePage() {
  const { id = "" } = useParams();
  const [zone] = useSetting("zone", "local");
  const [spanId, setSpanId] = useParameter("span");
  const [colourBy, setColourBy] = useParameter("colour", "service");
  const [text, setText] = useState("");
  const [folded, setFolded] = useState<ReadonlySet<Node>>(new Set());
  const [isCritical, setCritical] = useState(false);
  const [zoom, setZoom] = useState<[number, number]>([0, 1]);
  const [raw, setRaw] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const trace = useInfiniteQuery({
    queryKey: ["trace", id],
    queryFn: ({ pageParam }) => own.trace(id, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last, all) => (all.reduce((sum, page) => sum + page.spans.length, 0) < SPANS_MAX ? last.next_cursor : null),
    staleTime: 10_000,
  });
  // The whole of it: a tree with parts missing would lie.
  useEffect(() => {
    if (trace.hasNextPage && !trace.isFetchingNextPage) void trace.fetchNextPage();
  }, [trace.hasNextPage, trace.isFetchingNextPage, trace.fetchNextPage]);
  const view = useQuery({ queryKey: ["request", id], queryFn: () => own.requestView(id), staleTime: 30_000, retry: false });
  const spans = useMemo(() => trace.data?.pages.flatMap((page) => page.spans) ?? [], [trace.data]);
  const tree = useMemo(() => treeOf(spans), [spans]);
  const rows = useMemo(() => visible(tree, folded), [tree, folded]);
  const hue = useMemo(() => hues(tree, colourBy), [tree, colourBy]);
  const hueOf = useMemo(() => (node: Node) => hue.get(colourKey(node, colourBy)) ?? 0, [hue, colourBy]);
  const critical = useMemo(() => (isCritical ? criticalPath(tree) : null), [isCritical, tree]);
  const found = useMemo(() => (text.trim() ? tree.nodes.filter((node) => matches(node, text.trim())) : []), [tree, text]);
  const foundSet = useMemo(() => new Set(found), [found]);
  const chosen = tree.byId.get(spanId) ?? tree.roots[0] ?? null;
  const choose = (node: Node) => {
    setFolded(unfolded(tree, folded, node));
    setSpanId(node.span.span_id);
  };
  const step = (direction: 1 | -1) => {
    if (found.length === 0) return;
    const at = chosen ? found.indexOf(chosen) : -1;
    const next = found[(at + direction + found.length) % found.length];
    if (next) choose(next);
  };
  const fold = (node: Node) => {
    const next = new Set(folded);
    if (!next.delete(node)) next.add(node);
    setFolded(next);
  };

  if (trace.error) {
    const missing = trace.error instanceof ApiError && trace.error.status === 404;
    return (
      <>
        <Heading title="Trace" />
        {missing ? <Empty title="No span of this trace is here.">It may not have arrived yet, be older than what is kept, or belong to another environment. <button type="button" className="quiet" onClick={() => void trace.refetch()}>Look again</button></Empty> : <Failed error={trace.error} retry={() => void trace.refetch()} />}
      </>
    );
  }
  if (!trace.data) return <Loading what="the trace" />;
  const first = trace.data.pages[0]!;
  const root = tree.roots[0];
  const errorCount = tree.nodes.filter((node) => node.failed).length;
  const orphans = tree.roots.filter((node) => node.orphan).length;
  const services = new Set(tree.nodes.map((node) => node.span.service)).size;
  const beside = (view.data?.members ?? []).filter((member) => member.kind !== "trace" && member.span_id && member.span_id === chosen?.span.span_id && member.strength === 1);
  const others = (view.data?.members ?? []).length;
  return (
    <>
      <Heading title={root ? root.span.name || "(no name)" : "Trace"} note={<code className="id">{id}</code>}>
        <Copy text={id} label="Copy id" />
        <Link className="button" to={paths.request(id)}>Whole request{others > 0 ? ` (${others} more)` : ""}</Link>
      </Heading>
      <p className="summary">
        {clock(tree.startMs, zone, { millis: true })} · <strong>{duration(tree.durationMs)}</strong> · {plural(first.span_count, "span")} · {plural(services, "service")}
        {errorCount > 0 && <> · <Badge kind="bad">{plural(errorCount, "failed span")}</Badge></>}
      </p>
      {orphans > 0 && <Warning>{plural(orphans, "span names a parent", "spans name a parent")} that is not here: it was not sent, was sampled away, or is still running.</Warning>}
      {spans.length < first.span_count && (trace.hasNextPage ? <Loading what={`spans: ${spans.length} of ${first.span_count}`} /> : <Warning>{spans.length} of {first.span_count} spans are shown.</Warning>)}
      {trace.data.pages.some((page) => page.attached_omitted > 0) && <Warning>Some events of these spans are left out: there are too many.</Warning>}
      <div className="toolbar">
        <input
          ref={search} data-search type="search" placeholder="Find in spans and fields" aria-label="Find in spans and fields" value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => event.key === "Enter" && step(event.shiftKey ? -1 : 1)}
        />
        {text.trim() && (
          <span className="row">
            <span className="note" role="status">{found.length === 0 ? "no match" : `${Math.max(0, chosen ? found.indexOf(chosen) : -1) + (chosen && foundSet.has(chosen) ? 1 : 0)} of ${found.length}`}</span>
            <button type="button" className="quiet" aria-label="Previous match" onClick={() => step(-1)}>↑</button>
            <button type="button" className="quiet" aria-label="Next match" onClick={() => step(1)}>↓</button>
          </span>
        )}
        <label className="inline">colour by <input list="trace-fields" value={colourBy} onChange={(event) => setColourBy(event.target.value)} /></label>
        <datalist id="trace-fields">
          {["service", "name", "kind", "http.response.status_code", "http.status_code"].map((name) => <option key={name} value={name} />)}
        </datalist>
        <label className="inline"><input type="checkbox" checked={isCritical} onChange={(event) => setCritical(event.target.checked)} /> critical path</label>
        <button type="button" className="quiet" onClick={() => setFolded(folded.size ? new Set() : new Set(tree.nodes.filter((node) => node.children.length && node.depth > 0)))}>{folded.size ? "Unfold all" : "Fold all"}</button>
        <button type="button" className="quiet" onClick={() => setRaw(!raw)} aria-pressed={raw}>Raw documents</button>
      </div>
      {raw && <Raw id={id} />}
      <Minimap tree={tree} hueOf={hueOf} zoom={zoom} setZoom={setZoom} />
      <div className="trace">
        <Waterfall tree={tree} rows={rows} chosen={chosen} choose={choose} folded={folded} fold={fold} hue={hue} colourBy={colourBy} found={foundSet} critical={critical} zoom={zoom} />
        {chosen && <SpanDetails key={chosen.index} tree={tree} node={chosen} beside={beside} />}
      </div>
    </>
  );
}

function Raw({ id }: { id: string }) {
  const found = useQuery({ queryKey: ["raw", id], queryFn: () => rawTrace(xrayId(id)) });
  if (found.error) return <Failed error={found.error} />;
  if (found.data === undefined) return <Loading what="documents" />;
  if (!found.data) return <Empty title="This trace has no X-Ray documents." />;
  return (
    <div className="raw">
      {found.data.Segments.map((segment) => (
        <details key={segment.Id} open>
          <summary><code>{segment.Id}</code></summary>
          <CodeBlock label="Segment document" code={JSON.stringify(JSON.parse(segment.Document), null, 2)} />
        </details>
      ))}
    </div>
  );
}
