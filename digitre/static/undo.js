// Undo and redo: the states of a drawing, one after the other.

export class UndoStack {
  #past = [];
  #current;
  #future = [];

  constructor(state) {
    this.#current = state;
  }

  get current() {
    return this.#current;
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  // Make this the current state. What was undone before can no longer be redone.
  push(state) {
    this.#past.push(this.#current);
    this.#current = state;
    this.#future = [];
  }

  undo() {
    if (!this.canUndo) return;
    this.#future.push(this.#current);
    this.#current = this.#past.pop();
  }

  redo() {
    if (!this.canRedo) return;
    this.#past.push(this.#current);
    this.#current = this.#future.pop();
  }
}
