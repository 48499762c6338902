/** Where the bytes of a run come from. */

import { Fault, messageOf, MissingFile, RELOAD } from "./fault";

/** The files of one run by name. Their content is not checked here: see RunFolder. */
export interface Source {
  /** The bytes of a file, gzipped or not. A `MissingFile` where there is none of that name. */
  bytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** A run folder that a server has at an address. */
export class HttpSource implements Source {
  constructor(
    private readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  async bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.answer(name);
    const isPage = /text\/html/.test(response.headers.get("content-type") ?? "");
    // A page in place of a file is what servers send for addresses they do not know.
    if (!response.ok || isPage) {
      void response.body?.cancel(); // unread, it would hold one of the browser's few connections
      const Missing = response.status === 404 ? MissingFile : Fault;
      throw new Missing(`the file ${name} of this run is missing (the server answered ${response.status})`, RELOAD);
    }
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      if (this.signal.aborted) throw error;
      throw new Fault(`the file ${name} of this run broke off on its way`, RELOAD);
    }
  }

  private async answer(name: string): Promise<Response> {
    try {
      return await fetch(new URL(name, this.url), { signal: this.signal });
    } catch (error) {
      if (this.signal.aborted) throw error;
      throw new Fault(
        `the file ${name} of this run could not be fetched (${messageOf(error)})`,
        "check that the server is running, then reload the page",
      );
    }
  }
}
