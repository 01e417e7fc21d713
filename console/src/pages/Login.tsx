// A link of `steadyhand console` logs in by itself; a token can be pasted instead.
import { useEffect, useRef, useState, type FormEvent } from "react";

import { Button, PasswordInput } from "@mantine/core";

import { ApiError, order, type Schemas } from "../api/client";
import { go, useParameters } from "../state/address";

export default function Login() {
  const [parameters] = useParameters();
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<ApiError>();
  const [isBusy, setIsBusy] = useState(false);
  const tried = useRef("");
  const next = safe(parameters.get("next"));

  const logIn = async (proof: Schemas["LoginRequest"]): Promise<void> => {
    setIsBusy(true);
    try {
      await order("POST", "/api/v1/session", proof);
      go(next, true);
    } catch (error) {
      setProblem(error instanceof ApiError ? error : new ApiError("unreachable", String(error)));
    } finally {
      setIsBusy(false);
    }
  };

  useEffect(() => {
    const code = new URLSearchParams(window.location.hash.slice(1)).get("code") ?? "";
    if (!code || tried.current === code) return;
    tried.current = code;
    // It is spent now: it must not stay in the history.
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
    void logIn({ code, token: "" });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, with the address as it came
  }, []);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void logIn({ code: "", token: token.trim() });
  };

  return (
    <main className="login" id="main">
      <h1>Log in to Steadyhand</h1>
      <p>Run this where the workspace is, and open the link that it prints:</p>
      <pre className="command" tabIndex={0}>
        <code>steadyhand console --workspace demo</code>
      </pre>
      <form onSubmit={submit}>
        <PasswordInput
          label="Or paste a token"
          description="The installation's, in .steadyhand/control.token, or a principal's own."
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          autoComplete="off"
          visibilityToggleButtonProps={{ "aria-label": "Show the token" }}
        />
        <Button type="submit" disabled={!token.trim()} loading={isBusy} className="gap">
          Log in
        </Button>
      </form>
      {problem && (
        <p className="problem" role="alert">
          <span aria-hidden="true">✕ </span>
          {problem.message}. {problem.hint}
        </p>
      )}
    </main>
  );
}

/** Return where to go after the login: an address of this console and nowhere else. */
function safe(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith("/login") ? next : "/";
}
