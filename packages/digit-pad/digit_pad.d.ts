import type { Stroke } from "./digitre.js";

export * from "./digitre.js";

/** `<digit-pad>`: a field of a form to write a number on. */
export class DigitPad extends HTMLElement {
  /** The text that was read or typed; "" if there is none, or if it was refused. */
  value: string;
  readonly name: string;
  readonly form: HTMLFormElement | null;
  readonly validity: ValidityState;
  readonly validationMessage: string;
  readonly strokes: Stroke[];
  checkValidity(): boolean;
  reportValidity(): boolean;
  undo(): void;
  clear(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "digit-pad": DigitPad;
  }
}
