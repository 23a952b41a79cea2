/** A point in any unit, y growing downwards; more numbers, such as a time, are ignored. */
export type Point = readonly [x: number, y: number, ...more: number[]];
export type Stroke = readonly Point[];

export interface Candidate {
  digit: number;
  probability: number;
}

export interface Reading {
  /** 0 to 9, or null if it is refused. */
  digit: number | null;
  /** The probability of the most probable digit, 0 to 1. */
  confidence: number;
  /** Of the ten digits. */
  probabilities: number[];
  notADigit: number;
  /** Why there is no digit. */
  reason: "blank" | "not_a_digit" | "unsure" | null;
  /** The three most probable digits, best first. */
  candidates: Candidate[];
  /** Whether a server would look closer: there may be something to leave out. */
  forServer: boolean;
  /** The version of the network. */
  model: string;
}

export interface NumberDigit {
  character: string;
  /** Of the ten digits. */
  probabilities: number[];
  /** Where it is, in the unit of the strokes. */
  box: { left: number; top: number; right: number; bottom: number };
  /** The indices of the strokes that wrote it. */
  strokes: number[];
}

export interface NumberReading {
  /** The most probable text, also if it is refused; "" for a blank. */
  text: string;
  /** Its value, if it is answered and is a number. */
  value: number | null;
  confidence: number;
  /** Each character. */
  digits: NumberDigit[];
  alternatives: { text: string; probability: number }[];
  reason: "blank" | "not_a_number" | "unsure" | "too_complex" | null;
  /** Whether the server would look closer: something may lie around the number, such as a circle. */
  forServer: boolean;
  model: string;
}

/** What a layer makes of a picture: [height, width, channels] or [values]; a softmax has the shape of what comes before. */
export interface Layer {
  kind: "conv" | "pool" | "dense" | "softmax";
  shape: number[];
  values: Float32Array | Float64Array;
}

export interface Look extends Reading {
  /** 28 x 28 values from 0 to 1, ink bright: what the network sees. */
  pixels: Float32Array;
  layers: Layer[];
}

export interface Options {
  /** Below this confidence the answer is refused: 0 to 1, 0.6 by default. */
  threshold?: number;
  /** The width of strokes, in their unit. */
  pen?: number;
}

export interface NumberOptions extends Options {
  /** How many digits the number has: 1 to 40. */
  length?: number | null;
  /** Whether it may have a minus, a point, a comma or a slash. */
  signs?: boolean;
}

export class Reader {
  readonly model: string;
  read(
    drawing: HTMLCanvasElement | OffscreenCanvas | ImageData | readonly Stroke[],
    options?: Options,
  ): Reading;
  /** A reading with what the network sees; null for a blank, or if the ground is uneven. */
  look(
    drawing: HTMLCanvasElement | OffscreenCanvas | ImageData | readonly Stroke[],
    options?: Options,
  ): Look | null;
  /** The ten digits' probabilities of 28 x 28 values from 0 to 1. */
  classify(pixels: Float32Array): Float64Array;
  readNumber(strokes: readonly Stroke[], options?: NumberOptions): NumberReading;
}

/** There is no network at the address, or one with layers that this version doesn't know. */
export class UnknownNetworkError extends Error {}

export function load(url: string | URL): Promise<Reader>;
export function unpack(bytes: Uint8Array): Reader;
export const Digitre: { load: typeof load; unpack: typeof unpack };
