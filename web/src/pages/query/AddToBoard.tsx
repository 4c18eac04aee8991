// Puts a question on a board, or on a new one.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import * as honeycomb from "../../api/honeycomb";
import { Failed } from "../../ui/parts";
import { paths } from "../../util/path-builder";
import type { Spec } from "./spec";

export function AddToBoard({ dataset, spec }: { dataset: string; spec: Spec }) {
  const [chosen, setChosen] = useState("");
  const client = useQueryClient();
  const boards = useQuery({ queryKey: ["boards"], queryFn: honeycomb.boards, retry: false });
  const add = useMutation({
    mutationFn: async (): Promise<honeycomb.Board> => {
      const query = await honeycomb.createQuery(dataset, spec);
      const panel: honeycomb.Panel = { type: "query", query_panel: { query_id: query.id, query_style: "graph", dataset } };
      const board = boards.data?.find((one) => one.id === chosen);
      return board ? honeycomb.changeBoard({ ...board, panels: [...board.panels, panel] }) : honeycomb.createBoard("My board", [panel]);
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["boards"] }),
  });
  return (
    <form className="row" onSubmit={(event) => { event.preventDefault(); add.mutate(); }}>
      <select aria-label="Board" value={chosen} onChange={(event) => setChosen(event.target.value)}>
        <option value="">a new board</option>
        {(boards.data ?? []).map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
      </select>
      <button className="quiet" disabled={add.isPending}>Add to board</button>
      {add.data && <Link to={paths.board(add.data.id)}>{add.data.name}</Link>}
      {add.error && <Failed error={add.error} />}
    </form>
  );
}
