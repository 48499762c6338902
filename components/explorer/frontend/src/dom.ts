/** Elements in one line. Text goes in as text, never as HTML: names of classes come from people. */

type Child = Node | string | null | false | undefined;
type Props<T> = Partial<{
  class: string;
  title: string;
  data: Record<string, string>;
  aria: Record<string, string>;
  on: Record<string, (event: Event) => void>;
  role: string;
}> &
  Partial<Omit<T, "style" | "children">>;

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props<HTMLElementTagNameMap[K]> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const { class: name, data, aria, on, role, ...rest } = props as Props<HTMLElement>;
  if (name) element.className = name;
  if (role) element.setAttribute("role", role);
  for (const [key, value] of Object.entries(data ?? {})) element.dataset[key] = value;
  for (const [key, value] of Object.entries(aria ?? {})) element.setAttribute(`aria-${key}`, value);
  for (const [key, value] of Object.entries(on ?? {})) element.addEventListener(key, value);
  Object.assign(element, rest);
  element.append(...children.filter((c): c is Node | string => c !== null && c !== false && c !== undefined));
  return element;
}

/** Text is set only where it differs: setting equal text still makes the browser lay the line out again. */
export function setText(element: HTMLElement, value: string): void {
  if (element.textContent !== value) element.textContent = value;
}

export function choice(
  label: string | HTMLElement,
  options: readonly (readonly [value: string, title: string])[],
  value: string,
  change: (value: string) => void,
  testid: string,
): HTMLLabelElement {
  const select = h(
    "select",
    {
      data: { testid },
      aria: { label: typeof label === "string" ? label : (label.textContent ?? "") },
      on: { change: () => change(select.value) },
    },
    ...options.map(([v, title]) => h("option", { value: v }, title)),
  );
  select.value = value;
  return h("label", { class: "hg-choice" }, h("span", {}, label), select);
}

/** Small line drawings for buttons, 16 x 16. */
const ICONS = {
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  home: "M2.5 8 8 3l5.5 5M4.5 7v6h7V7",
  picture: "M8 2.5v7M5 7l3 3 3-3M3 12.5h10",
  close: "M4 4l8 8M12 4l-8 8",
  film: "M2 3.5h12v9H2zM5 3.5v9M11 3.5v9M2 6.5h3M2 9.5h3M11 6.5h3M11 9.5h3",
  full: "M6 2.5H2.5V6M10 2.5h3.5V6M6 13.5H2.5V10M10 13.5h3.5V10",
  play: "M5 3.2v9.6L12.5 8z",
  pause: "M5.5 3v10M10.5 3v10",
  strip: "M1.5 5.5h13v5h-13zM5.8 5.5v5M10.2 5.5v5",
  pin: "M8 14s-4.5-4.6-4.5-7.6a4.5 4.5 0 0 1 9 0C12.5 9.400 8 14 8 14zM8 7.500v-2",
} as const;

export function icon(name: keyof typeof ICONS): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

export const button = (
  label: string,
  name: keyof typeof ICONS,
  click: () => void,
  testid?: string,
): HTMLButtonElement =>
  h(
    "button",
    { type: "button", class: "hg-icon", title: label, aria: { label }, data: testid ? { testid } : {}, on: { click } },
    icon(name),
  );

/** Text for screen readers. It is set when things have come to rest, so that no speech piles up. */
export class Announcer {
  readonly element = h("div", { class: "hg-listen", aria: { live: "polite" }, data: { testid: "explorer-live" } });
  private timer = 0;
  say(message: () => string, wait = 350): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => setText(this.element, message()), wait);
  }
  end(): void {
    clearTimeout(this.timer);
  }
}

/** Hands a file to the person. */
export function saveAs(file: Blob, name: string): void {
  const link = h("a", { href: URL.createObjectURL(file), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
