// One log group: its newest events by pattern, its streams, and Live Tail.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { Link, useParams } from "react-router";
import * as logs from "../../api/logs";
import { Empty, Failed, Heading, State, Table, Tabs, Warning } from "../../ui/parts";
import { TimePicker } from "../../ui/TimePicker";
import { ago, clock, plural } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";
import { useTime } from "../../util/time";
import { useParameter } from "../../util/url";
import { Line, wordsOf } from "./Line";

export default function GroupPage() {
  const { group = "" } = useParams();
  const [tab, setTab] = useParameter("tab", "events");
  return (
    <>
      <Heading title={<><Link to={paths.logs()}>Logs</Link> / {group}</>}>
        <Tabs label="Log group" current={tab} choose={(name) => setTab(name, true)} tabs={[["events", "Events"], ["streams", "Streams"], ["tail", "Live tail"]]} />
        <Link className="button" to={paths.insights({ groups: group })}>Insights</Link>
      </Heading>
      {tab === "events" && <Events group={group} />}
      {tab === "streams" && <Streams group={group} />}
      {tab === "tail" && <Tail group={group} />}
    </>
  );
}

function Events({ group }: { group: string }) {
  const { range, set } = useTime(3600);
  const [pattern, setPattern] = useParameter("pattern");
  const [stream, setStream] = useParameter("stream");
  const [text, setText] = useState(pattern);
  useEffect(() => setText(pattern), [pattern]);
  // A stream is read from its beginning; a whole group from its newest event back.
  const newest = useQuery({ queryKey: ["newest events", group, pattern, range.startMs, range.endMs], queryFn: ({ signal }) => logs.newest(group, pattern, range.startMs, range.endMs, signal), enabled: !stream, retry: false });
  const ofStream = useInfiniteQuery({
    queryKey: ["stream events", group, stream, pattern, range.startMs, range.endMs],
    queryFn: ({ pageParam, signal }) => logs.filter({ group, stream, pattern, startMs: range.startMs, endMs: range.endMs, ...(pageParam ? { nextToken: pageParam } : {}) }, signal),
    initialPageParam: "", getNextPageParam: (last) => last.nextToken, enabled: Boolean(stream), retry: false,
  });
  const words = useMemo(() => wordsOf(pattern), [pattern]);
  const around = (event: logs.LogEvent) => { set({ startMs: event.timestamp - 30_000, endMs: event.timestamp + 30_000 }); };
  const list = (events: logs.LogEvent[]) => (
    <ol className="log-lines">{events.map((event, index) => <Line key={event.eventId ?? index} event={event} words={words} stream={!stream} around={() => around(event)} />)}</ol>
  );
  const nothing = <Empty title="No event matches.">Widen the time, or change the pattern.</Empty>;
  return (
    <>
      <form className="query-line" role="search" onSubmit={(event) => { event.preventDefault(); setPattern(text, true); }}>
        <input data-search aria-label="Filter pattern" placeholder={'Filter pattern: ERROR  "two words"  { $.status = 500 }  [ip, ..., status=5*]'} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} />
        <button>Search</button>
        <TimePicker range={range} set={set} refresh={() => void (stream ? ofStream.refetch() : newest.refetch())} />
      </form>
      {stream && <p>Only of the stream <code>{stream}</code>, oldest first. <button type="button" className="link" onClick={() => setStream("")}>All streams</button></p>}
      {stream ? (
        <State of={ofStream} what="events" empty={(data) => data.pages.every((page) => page.events.length === 0) && nothing}>
          {(data) => <>{list(data.pages.flatMap((page) => page.events))}{ofStream.hasNextPage && <button type="button" className="quiet" disabled={ofStream.isFetchingNextPage} onClick={() => void ofStream.fetchNextPage()}>More</button>}</>}
        </State>
      ) : (
        <State of={newest} what="events" empty={(events) => events.length === 0 && nothing}>
          {(events) => <><p className="note">{plural(events.length, "event")}, newest first{events.length >= 500 ? "; there are more: narrow the time, or ask Insights" : ""}.</p>{list(events)}</>}
        </State>
      )}
    </>
  );
}

function Streams({ group }: { group: string }) {
  const [zone] = useSetting("zone", "local");
  const found = useInfiniteQuery({ queryKey: ["streams", group], queryFn: ({ pageParam }) => logs.streams(group, pageParam || undefined), initialPageParam: "", getNextPageParam: (last) => last.nextToken });
  return (
    <State of={found} what="streams" empty={(data) => data.pages[0]?.logStreams.length === 0 && <Empty title="This group has no stream yet." />}>
      {(data) => (
        <>
          <Table label="Streams" rows={data.pages.flatMap((page) => page.logStreams)} rowKey={(row) => row.logStreamName} columns={[
            { title: "Stream", cell: (row) => <Link to={paths.logGroup(group, { stream: row.logStreamName, last: 86_400 })}>{row.logStreamName}</Link>, sort: (row) => row.logStreamName },
            { title: "First event", cell: (row) => (row.firstEventTimestamp ? clock(row.firstEventTimestamp, zone) : "–"), sort: (row) => row.firstEventTimestamp ?? 0 },
            { title: "Last event", cell: (row) => (row.lastEventTimestamp ? `${clock(row.lastEventTimestamp, zone)} (${ago(row.lastEventTimestamp, Date.now())})` : "–"), sort: (row) => row.lastEventTimestamp ?? 0 },
          ]} />
          {found.hasNextPage && <button type="button" className="quiet" onClick={() => void found.fetchNextPage()}>More streams</button>}
        </>
      )}
    </State>
  );
}

const LINES_MAX = 2_000;
interface TailLine { timestamp: number; message: string; logStreamName: string; number: number }

function Tail({ group }: { group: string }) {
  const [pattern, setPattern] = useParameter("pattern");
  const [text, setText] = useState(pattern);
  const [highlight, setHighlight] = useState("");
  const [paused, setPaused] = useState(false);
  const [lines, setLines] = useState<TailLine[]>([]);
  const [sampled, setSampled] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const [ended, setEnded] = useState(false);
  const [turn, setTurn] = useState(0);
  const held = useRef<TailLine[]>([]);
  const isPaused = useRef(false);
  const number = useRef(0);
  const list = useRef<HTMLOListElement>(null);
  const of = useQuery({ queryKey: ["log group", group], queryFn: async () => (await logs.groups(group)).logGroups.find((one) => one.logGroupName === group) ?? null });
  isPaused.current = paused;
  useEffect(() => {
    if (!of.data) return;
    const stopping = new AbortController();
    setFailed(null);
    setEnded(false);
    logs.tail(of.data, pattern, (update) => {
      setSampled(update.sampled);
      if (update.events.length === 0) return;
      const next = update.events.map((event) => ({ ...event, number: (number.current += 1) }));
      if (isPaused.current) held.current = [...held.current, ...next].slice(-LINES_MAX);
      else setLines((known) => [...known, ...next].slice(-LINES_MAX));
    }, stopping.signal).then(() => setEnded(true), (error) => { if (!stopping.signal.aborted) setFailed(error); });
    return () => stopping.abort();
  }, [of.data, pattern, turn]);
  useEffect(() => {
    if (!paused && held.current.length) {
      const waiting = held.current;
      held.current = [];
      setLines((known) => [...known, ...waiting].slice(-LINES_MAX));
    }
  }, [paused]);
  useEffect(() => {
    if (!paused && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [lines, paused]);
  if (of.data === null) return <Empty title="This group is not there." />;
  return (
    <>
      <form className="query-line" onSubmit={(event) => { event.preventDefault(); setLines([]); setPattern(text); }}>
        <input data-search aria-label="Filter pattern" placeholder="Filter pattern" value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} />
        <button>Follow</button>
        <input aria-label="Highlight" placeholder="highlight words" value={highlight} onChange={(event) => setHighlight(event.target.value)} />
        <button type="button" className="quiet" aria-pressed={paused} onClick={() => setPaused(!paused)}>{paused ? "Go on" : "Pause"}</button>
        <button type="button" className="quiet" onClick={() => setLines([])}>Clear</button>
      </form>
      {sampled && <Warning>More than 500 events came in a second: a sample of them is shown.</Warning>}
      {Boolean(failed) && <Failed error={failed} retry={() => setTurn(turn + 1)} />}
      {ended && <p className="note" role="status">The session has ended. <button type="button" className="link" onClick={() => setTurn(turn + 1)}>Follow again</button></p>}
      <ol className="log-lines tail" ref={list} aria-live="off" aria-label="Live events" tabIndex={0} onWheel={(event) => event.deltaY < 0 && setPaused(true)}>
        {lines.map((line) => <Line key={line.number} event={line} words={[...wordsOf(pattern), ...highlight.split(/\s+/).filter(Boolean)]} stream />)}
      </ol>
      {lines.length === 0 && !failed && <p className="note" role="status"><span className="spinner" aria-hidden="true" /> Following {group}: events appear as they arrive.</p>}
      {paused && <p className="note">Paused; what arrives meanwhile waits.</p>}
    </>
  );
}
