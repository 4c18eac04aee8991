// Boards: questions side by side that a team looks at again and again.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import * as honeycomb from "../../api/honeycomb";
import * as own from "../../api/own";
import { Heatmap } from "../../charts/Heatmap";
import { LineChart } from "../../charts/LineChart";
import { heatOf, linesOf } from "../../charts/series";
import { Card, Empty, Failed, Heading, State, Table } from "../../ui/parts";
import { TimePicker } from "../../ui/TimePicker";
import { plural } from "../../util/format";
import { paths } from "../../util/path-builder";
import { type TimeRange, useTime } from "../../util/time";
import { speller } from "../query/Answer";
import { calculationName, calculationsOf, describe, type Spec } from "../query/spec";

export default function BoardsPage() {
  const [name, setName] = useState("");
  const navigate = useNavigate();
  const found = useQuery({ queryKey: ["boards"], queryFn: honeycomb.boards });
  const create = useMutation({ mutationFn: () => honeycomb.createBoard(name.trim()), onSuccess: (made) => navigate(paths.board(made.id)) });
  return (
    <>
      <Heading title="Boards">
        <form className="row" onSubmit={(event) => { event.preventDefault(); if (name.trim()) create.mutate(); }}>
          <input value={name} onChange={(event) => setName(event.target.value)} placeholder="name" aria-label="Name of a new board" maxLength={255} />
          <button disabled={!name.trim() || create.isPending}>New board</button>
        </form>
      </Heading>
      {create.error && <Failed error={create.error} />}
      <State of={found} what="boards" empty={(all) => all.length === 0 && <Empty title="No board yet.">Make one here, and add questions to it from the <Link to={paths.query()}>query page</Link>.</Empty>}>
        {(all) => <Table label="Boards" rows={all} rowKey={(row) => row.id} columns={[
          { title: "Board", cell: (row) => <Link to={paths.board(row.id)}>{row.name}</Link>, sort: (row) => row.name },
          { title: "About", cell: (row) => row.description ?? "" },
          { title: "Panels", numeric: true, cell: (row) => plural(row.panels?.length ?? 0, "panel") },
        ]} />}
      </State>
    </>
  );
}

export function BoardPage() {
  const { id = "" } = useParams();
  const { range, set } = useTime(7200);
  const navigate = useNavigate();
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["board", id], queryFn: () => honeycomb.board(id), retry: false });
  const done = () => client.invalidateQueries({ queryKey: ["board", id] });
  const change = useMutation({ mutationFn: honeycomb.changeBoard, onSuccess: done });
  const remove = useMutation({ mutationFn: () => honeycomb.deleteBoard(id), onSuccess: () => navigate(paths.boards()) });
  const [note, setNote] = useState("");
  return (
    <State of={found} what="the board">
      {(board) => (
        <>
          <Heading title={board.name} note={board.description}>
            <TimePicker range={range} set={set} refresh={() => void client.invalidateQueries({ queryKey: ["panel"] })} />
            <button type="button" className="quiet" onClick={() => { const name = prompt("Name of the board", board.name); if (name) change.mutate({ ...board, name }); }}>Rename</button>
            <button type="button" className="quiet" onClick={() => confirm(`Delete the board ${board.name}?`) && remove.mutate()}>Delete</button>
          </Heading>
          {(change.error || remove.error) && <Failed error={change.error ?? remove.error} />}
          {board.panels.length === 0 && <Empty title="Nothing on this board yet.">Ask something on the <Link to={paths.query()}>query page</Link> and add it here.</Empty>}
          <div className="board">
            {board.panels.map((panel, index) => {
              const drop = () => change.mutate({ ...board, panels: board.panels.filter((_, at) => at !== index) });
              return panel.type === "query" && panel.query_panel ? <QueryPanel key={index} panel={panel.query_panel} range={range} drop={drop} /> : <Card key={index} tools={<button type="button" className="link" onClick={drop}>remove</button>}><p className="note-panel">{panel.text_panel?.content}</p></Card>;
            })}
          </div>
          <form className="row" onSubmit={(event) => { event.preventDefault(); if (note.trim()) { change.mutate({ ...board, panels: [...board.panels, { type: "text", text_panel: { content: note.trim() } }] }); setNote(""); } }}>
            <input value={note} onChange={(event) => setNote(event.target.value)} placeholder="a note on this board" aria-label="Note" size={40} />
            <button className="quiet">Add note</button>
          </form>
        </>
      )}
    </State>
  );
}

function QueryPanel({ panel, range, drop }: { panel: NonNullable<honeycomb.Panel["query_panel"]>; range: TimeRange; drop: () => void }) {
  const query = useQuery({ queryKey: ["panel query", panel.query_id], queryFn: () => honeycomb.queryOf(panel), staleTime: Infinity, retry: false });
  const spec: Spec | null = useMemo(() => {
    if (!query.data) return null;
    const next: Spec & { id?: string } = { ...query.data };
    for (const name of ["id", "time_range", "start_time", "end_time"] as const) delete next[name];
    if (range.last !== null) next.time_range = range.last;
    else Object.assign(next, { start_time: Math.floor(range.startMs / 1000), end_time: Math.ceil(range.endMs / 1000) });
    return next;
  }, [query.data, range]);
  const dataset = panel.dataset ?? "__all__";
  const answer = useQuery({ queryKey: ["panel", dataset, spec], queryFn: ({ signal }) => own.ask(dataset, spec!, signal), enabled: spec !== null });
  const first = spec ? calculationsOf(spec)[0]! : null;
  const heat = useMemo(() => (answer.data && first?.op === "HEATMAP" ? heatOf(answer.data, first) : null), [answer.data, first]);
  const lines = useMemo(() => (answer.data && spec && first && first.op !== "HEATMAP" ? linesOf(answer.data, spec, first) : null), [answer.data, spec, first]);
  return (
    <Card title={spec ? <Link to={paths.query(dataset, spec)}>{describe(spec)}</Link> : "Query"} tools={<button type="button" className="link" onClick={drop}>remove</button>}>
      {query.error ? <Failed error={query.error} /> : (
        <State of={answer} what="the answer" empty={(data) => data.results.length === 0 && <Empty title="No events match." />}>
          {() => (heat ? <Heatmap title={calculationName(first!)} heat={heat} spell={speller(first!)} /> : lines ? <LineChart title={calculationName(first!)} data={lines} spell={speller(first!)} style={(spec?.breakdowns?.length ?? 0) > 0 ? "stack" : "line"} height={170} /> : null)}
        </State>
      )}
    </Card>
  );
}
