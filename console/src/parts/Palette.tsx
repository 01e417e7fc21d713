// Ctrl K: go somewhere by a few letters of its name, or to a request by its id.
import { useState } from "react";

import { Modal, TextInput } from "@mantine/core";

import { PAGES } from "../places";
import { go } from "../state/address";

interface Entry {
  name: string;
  act: () => void;
}

export function Palette({ onClose, onLeave }: { onClose: () => void; onLeave: () => Promise<void> }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const wanted = text.trim().toLowerCase();
  const known: Entry[] = [
    ...PAGES.map((page) => ({ name: page.name, act: () => go(page.href) })),
    { name: "Log out", act: () => void onLeave() },
  ];
  const found = known.filter((entry) => entry.name.toLowerCase().includes(wanted));
  if (/^req_\w+$/.test(text.trim()))
    found.unshift({ name: `Request ${text.trim()}`, act: () => go(`/requests/${text.trim()}`) });
  const chosen = found[Math.min(at, found.length - 1)];
  const act = (entry: Entry | undefined): void => {
    if (!entry) return;
    onClose();
    entry.act();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title="Go to"
      lockScroll={false}
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <TextInput
        aria-label="Page, act or request id"
        placeholder="Page, act or request id"
        data-autofocus
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") setAt(Math.min(at + 1, found.length - 1));
          else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
          else if (event.key === "Enter") act(chosen);
          else return;
          event.preventDefault();
        }}
      />
      <ul className="palette">
        {found.map((entry) => (
          <li key={entry.name}>
            <button type="button" className="plain" data-chosen={entry === chosen || undefined} onClick={() => act(entry)}>
              {entry.name}
            </button>
          </li>
        ))}
        {!found.length && <li className="muted">Nothing has that name.</li>}
      </ul>
    </Modal>
  );
}
