// The site's start: server state, addresses, the frame, and what is shown when a page itself breaks.

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Component, type ReactNode, StrictMode, Suspense, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter, Link, Route, Routes, useLocation } from "react-router";
import { ApiError } from "./api/client";
import { routes } from "./routes";
import "./style.css";
import { Layout } from "./ui/Layout";
import { Empty, Loading } from "./ui/parts";
import { paths } from "./util/path-builder";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: false,
      // What the server refused it refuses again; what did not get through may the next time.
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 502),
    },
  },
});

/** A page that breaks takes neither the frame nor the other pages with it. */
class Broken extends Component<{ children: ReactNode; place: string }, { error: Error | null; place: string }> {
  override state = { error: null as Error | null, place: this.props.place };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  static getDerivedStateFromProps(props: { place: string }, state: { error: Error | null; place: string }) {
    return props.place === state.place ? null : { error: null, place: props.place };
  }
  override render() {
    if (!this.state.error) return this.props.children;
    return <Empty title="This page broke.">{this.state.error.message} <button type="button" className="quiet" onClick={() => location.reload()}>Load it again</button></Empty>;
  }
}

function Titled({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => { document.title = `${title} – Tracery`; }, [title]);
  return children;
}

function Site() {
  const place = useLocation().pathname;
  return (
    <Layout>
      <Broken place={place}>
        <Suspense fallback={<Loading what="the page" />}>
          <Routes>
            {routes.map(({ path, title, Page }) => <Route key={path} path={path} element={<Titled title={title}><Page /></Titled>} />)}
            <Route path="*" element={<Empty title="There is no such page."><Link to={paths.start()}>To the start</Link></Empty>} />
          </Routes>
        </Suspense>
      </Broken>
    </Layout>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <BrowserRouter><Site /></BrowserRouter>
    </QueryClientProvider>
  </StrictMode>,
);
