/** What was named, in few letters: each act is a class and the places that got it. */

export interface Act {
  readonly label: number;
  /** Rising places. */
  readonly places: readonly number[];
}

/** As letters of an address: for each act its class, how many places, and the steps between them, in bytes of seven bits. */
export function written(acts: readonly Act[]): string {
  const bytes: number[] = [];
  const put = (value: number) => {
    for (; value > 127; value >>= 7) bytes.push((value & 127) | 128);
    bytes.push(value);
  };
  for (const { label, places } of acts) {
    put(label);
    put(places.length);
    places.forEach((place, i) => put(i ? place - places[i - 1] : place));
  }
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}

/** The acts that `written` wrote, as far as they are of these classes and places: an address is anybody's. */
export function read(text: string, classes: number, count: number): Act[] {
  const acts: Act[] = [];
  let bytes: number[];
  try {
    bytes = [...atob(text.replace(/-/g, "+").replace(/_/g, "/"))].map((letter) => letter.charCodeAt(0));
  } catch {
    return acts;
  }
  let at = 0;
  const take = (): number => {
    let value = 0;
    for (let shift = 0; at < bytes.length && shift < 28; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    at = Infinity;
    return -1;
  };
  while (at < bytes.length) {
    const label = take(),
      many = take();
    const places: number[] = [];
    for (let i = 0, place = 0; i < many && at < bytes.length; i++) {
      place += take();
      if (place >= 0 && place < count) places.push(place);
    }
    if (label >= 0 && label < classes && places.length === many && many > 0) acts.push({ label, places });
  }
  return acts;
}
