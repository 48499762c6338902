/** Sends one large file to the app's own address. Called at each rerun of the page; a file on its way survives it. */

import css from "./upload.css?inline";
import html from "./upload.html?raw";

/** What Python sends: the secret of the address that takes the file, and how many bytes it may have. */
export interface Payload {
  readonly token: string;
  readonly most: number;
}

type Send = (name: string, value: unknown) => void;
type Mount = ParentNode & { hourglassUpload?: Upload };

/** Shows the control in `host`. `trigger` is called with "arrived" and the file's name once it has arrived. */
export function show(host: Mount, payload: Payload, _setState: Send, trigger: Send): void {
  host.hourglassUpload ??= new Upload(host);
  host.hourglassUpload.update(payload, trigger);
}

/** The page is left: a file that is on its way ends. */
export function remove(host: Mount): void {
  host.hourglassUpload?.end();
  delete host.hourglassUpload;
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/** Why a file is not sent; null where it may be. */
export function refusal(size: number, most: number): string | null {
  if (size <= most) return null;
  return `The file has ${megabytes(size)}, and at most ${megabytes(most)} are accepted. Bring a smaller file, or fewer samples.`;
}

/** What is shown once the server has answered; `text` is what it said. */
export function outcome(status: number, text: string): string {
  return status === 204 ? "It has arrived." : text || `The server answered ${status}.`;
}

class Upload {
  private payload: Payload = { token: "", most: 0 };
  private trigger: Send = () => undefined;
  private readonly input: HTMLInputElement;
  private readonly progress: HTMLProgressElement;
  private readonly cancel: HTMLButtonElement;
  private readonly status: HTMLParagraphElement;
  private request: XMLHttpRequest | null = null;

  constructor(host: ParentNode) {
    const style = document.createElement("style");
    style.textContent = css;
    const template = document.createElement("template");
    template.innerHTML = html;
    host.replaceChildren(style, template.content);
    this.input = host.querySelector("input")!;
    this.progress = host.querySelector("progress")!;
    this.cancel = host.querySelector("button")!;
    this.status = host.querySelector("p")!;
    this.input.addEventListener("change", () => this.send(this.input.files?.[0]));
    this.cancel.addEventListener("click", () => this.request?.abort());
  }

  update(payload: Payload, trigger: Send): void {
    this.payload = payload;
    this.trigger = trigger;
  }

  private showSending(sending: boolean): void {
    this.input.hidden = sending;
    this.progress.hidden = this.cancel.hidden = !sending;
  }

  private send(file: File | undefined): void {
    if (!file) return;
    const { token, most } = this.payload;
    this.input.value = "";
    const refused = refusal(file.size, most);
    if (refused) {
      this.status.textContent = refused;
      return;
    }
    const request = (this.request = new XMLHttpRequest());
    const ended = (text: string) => {
      this.showSending(false);
      this.status.textContent = text;
    };
    request.upload.onprogress = (event) => {
      this.progress.value = event.loaded / file.size;
      this.status.textContent = `${megabytes(event.loaded)} of ${megabytes(file.size)}`;
    };
    request.onload = () => {
      ended(outcome(request.status, request.responseText));
      if (request.status === 204) this.trigger("arrived", file.name);
    };
    request.onerror = () => ended("The connection was lost while the file was sent. Try again.");
    request.onabort = () => ended("Cancelled.");
    request.open("PUT", new URL(`upload/${token}`, document.baseURI).href);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    this.progress.value = 0;
    this.status.textContent = "";
    this.showSending(true);
    request.send(file);
  }

  end(): void {
    this.request?.abort();
  }
}
