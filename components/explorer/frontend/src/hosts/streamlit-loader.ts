/**
 * What Python hands to Streamlit as the text of a component: it fetches a module of this folder once, by the address
 * that Python writes in place of MODULE. The text travels again with every changed payload, hence as little as possible.
 *
 * Streamlit calls the function again at every rerun and keeps only the clean-up it was handed last, but may run an
 * earlier one when two calls overlap: only the newest call may clean up.
 */

type Send = (name: string, value: unknown) => void;

/** What a module of this folder exports to be a component. */
interface Component {
  show(host: Node, data: unknown, setState: Send, trigger: Send): void;
  remove(host: Node): void;
}

interface Call {
  readonly parentElement: Node & { hourglassCall?: number };
  /** A list of one: see `sent` in assets.py. */
  readonly data: readonly [unknown];
  readonly setStateValue: Send;
  readonly setTriggerValue: Send;
}

// The text lives at a blob address, hence an absolute one made of the page's.
const address = new URL("MODULE", document.baseURI).href;
let loading: Promise<Component> | undefined;

export default function component({ parentElement: host, data, setStateValue, setTriggerValue }: Call): () => void {
  const call = (host.hourglassCall = (host.hourglassCall ?? 0) + 1);
  let remove: (() => void) | undefined;
  (loading ??= import(/* @vite-ignore */ address) as Promise<Component>).then(
    (module) => {
      if (host.hourglassCall !== call) return;
      remove = () => module.remove(host);
      module.show(host, data[0], setStateValue, setTriggerValue);
    },
    (error: Error) => {
      loading = undefined;
      host.textContent = `A part of this page could not be fetched (${error.message}). The app was expected to serve it. Reload the page.`;
    },
  );
  return () => {
    if (host.hourglassCall !== call) return;
    host.hourglassCall += 1;
    remove?.();
  };
}
