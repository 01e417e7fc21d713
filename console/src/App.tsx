// Which page an address is, and what surrounds all of them.
import { Suspense, lazy, useEffect, useState } from "react";

import { whenSessionOver } from "./api/client";
import { Overview } from "./pages/Overview";
import { Shell } from "./Shell";
import { go, usePath } from "./state/address";
import { Boundary } from "./parts/Panel";

const Requests = lazy(() => import("./pages/Requests"));
const Rollouts = lazy(() => import("./pages/Rollouts"));
const Break = lazy(() => import("./pages/Break"));
const Login = lazy(() => import("./pages/Login"));

const TITLES: [RegExp, string][] = [
  [/^\/requests/, "Requests"],
  [/^\/rollouts/, "Rollouts"],
  [/^\/break/, "Break it"],
  [/^\/login/, "Log in"],
  [/^\/$/, "Overview"],
];

export function App() {
  const path = usePath();
  useEffect(() => {
    whenSessionOver(() => {
      if (window.location.pathname === "/login") return;
      const back = window.location.pathname + window.location.search;
      go(`/login?next=${encodeURIComponent(back)}`);
    });
  }, []);
  const title = TITLES.find(([pattern]) => pattern.test(path))?.[1] ?? "Not found";
  useEffect(() => {
    document.title = `${title} · Steadyhand`;
  }, [title]);
  if (path === "/login")
    return (
      <Suspense fallback={null}>
        <Login />
      </Suspense>
    );
  return (
    <Shell title={title}>
      <Boundary key={title}>
        <Suspense fallback={<Waiting />}>
          <Page path={path} />
        </Suspense>
      </Boundary>
    </Shell>
  );
}

function Page({ path }: { path: string }) {
  const [, noun = "", id = ""] = path.split("/");
  if (path === "/") return <Overview />;
  if (noun === "requests") return <Requests id={decodeURIComponent(id)} />;
  if (noun === "rollouts") return <Rollouts id={decodeURIComponent(id)} />;
  if (noun === "break") return <Break />;
  return (
    <div className="empty" data-empty="no-page">
      <p>No page of the console has the address {path}.</p>
    </div>
  );
}

/** Says that something is waited for, but not before it is noticed. */
function Waiting() {
  const [isLong, setIsLong] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setIsLong(true), 300);
    return () => window.clearTimeout(timer);
  }, []);
  return isLong ? <p className="muted">Loading…</p> : null;
}
