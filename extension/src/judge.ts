// What a question of the prose asks, and whether an answer is right. The server judges what it remembers by itself
// (labs/kit/command/questions.py); here it is done so that a reason is shown even where nothing can be remembered.

/** As `labs/kit/author/questions.py` describes it in the metadata of the cell. */
export interface IQuestion {
  id: string;
  kind: 'one' | 'several' | 'number' | 'order';
  asks: string;
  /** The place of its first fold among those of its cell. */
  place: number;
  options?: string[];
  right: number | number[];
  tolerance?: number;
  unit?: string;
  /** Numbers that known mistakes give, each with its tolerance. */
  wrong?: [number, number][];
}

/** A number; or the chosen options, or the steps in the learner's order. */
export type Value = number | string[];

/** The places in `options` of what `value` names; null if it is no answer to this question. */
export function places(question: IQuestion, value: unknown): number[] | null {
  const options = question.options ?? [];
  if (!Array.isArray(value)) {
    return null;
  }
  const found = value.map(one => options.indexOf(one));
  const whole = question.kind !== 'order' || found.length === options.length;
  return found.length && whole && !found.includes(-1) ? found : null;
}

export function isRight(question: IQuestion, value: Value): boolean {
  if (typeof value === 'number') {
    return near(value, question.right as number, question.tolerance ?? 0);
  }
  const found = places(question, value) ?? [];
  const wanted = question.right as number[];
  return question.kind === 'order'
    ? found.join() === wanted.join()
    : [...found].sort((a, b) => a - b).join() === wanted.join();
}

/** The place among the likely numbers of the one that was given; -1 for none. */
export function mistake(question: IQuestion, value: number): number {
  return (question.wrong ?? []).findIndex(([number, tolerance]) =>
    near(value, number, tolerance)
  );
}

/** Read a number as people type it: 1,500 and 0,5 and −3 and 1e-3; null if it is none. */
export function read(text: string): number | null {
  let plain = text.trim().replace(/[−–]/g, '-').replace(/[\s_]/g, '');
  if (/^[-+]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(plain)) {
    plain = plain.replace(/,/g, '');
  } else if (/^[-+]?\d*,\d+$/.test(plain)) {
    plain = plain.replace(',', '.');
  }
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain)
    ? Number(plain)
    : null;
}

function near(value: number, wanted: number, tolerance: number): boolean {
  const off = Math.abs(value - wanted);
  return off <= tolerance || off <= 1e-9 * Math.abs(wanted);
}
