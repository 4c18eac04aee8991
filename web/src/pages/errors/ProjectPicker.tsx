// Which of the environment's projects a page is about, where it is about one.

import { useQuery } from "@tanstack/react-query";
import * as rollbar from "../../api/rollbar";
import { useSetting } from "../../util/settings";

export interface ChosenProject { id: number | null; all: rollbar.Project[]; choose: (id: number) => void }

export function useProject(): ChosenProject {
  const [kept, choose] = useSetting("project", 0);
  const found = useQuery({ queryKey: ["projects"], queryFn: rollbar.projects, staleTime: 30_000 });
  const all = found.data ?? [];
  return { id: (all.find((one) => one.id === kept) ?? all[0])?.id ?? null, all, choose };
}

export function ProjectPicker({ project }: { project: ChosenProject }) {
  if (project.all.length < 2) return null;
  return <select aria-label="Project" value={project.id ?? ""} onChange={(event) => project.choose(Number(event.target.value))}>{project.all.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}</select>;
}
