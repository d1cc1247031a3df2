// What a learner answers with: choices, a number, or a list to put in order by keys as well as by mouse.
import { copies, element } from './element';
import { IQuestion, places, read, Value } from './judge';

export interface IInput {
  readonly node: HTMLElement;
  /** The answer as it stands; a sentence where there is none yet. */
  get value(): Value | string;
  set value(value: Value);
  /** What stands in it, half an answer too, to be put back into another input of the same question. */
  state: unknown;
}

/** Told of every change, with a sentence for those who do not see it. */
type Changed = (sentence?: string) => void;

/** @param shown the options as they stand in the prose, with its code and emphasis. */
export function asks(
  question: IQuestion,
  shown: Element[],
  name: string,
  changed: Changed
): IInput {
  switch (question.kind) {
    case 'number':
      return number(question, name, changed);
    case 'order':
      return order(question, shown, changed);
    default:
      return choices(question, shown, name, changed);
  }
}

function choices(question: IQuestion, shown: Element[], name: string, changed: Changed): IInput {
  const options = question.options ?? [];
  const several = question.kind === 'several';
  const type = several ? 'checkbox' : 'radio';
  const boxes = options.map(option => element('input', '', { type, name, value: option }));
  const labels = boxes.map((box, place) =>
    element('label', 'tfl-option', {}, box, element('span', '', {}, ...copies(shown[place])))
  );
  const node = element('div', '', {}, ...labels);
  node.onchange = () => changed();
  const set = (chosen: unknown) =>
    boxes.forEach(box => (box.checked = Array.isArray(chosen) && chosen.includes(box.value)));
  const chosen = () => boxes.filter(box => box.checked).map(box => box.value);
  return {
    node,
    get value() {
      const found = chosen();
      return found.length ? found : several ? 'Choose at least one first.' : 'Choose one first.';
    },
    set value(value) {
      set(value);
    },
    get state() {
      return chosen();
    },
    set state(state) {
      set(state);
    }
  };
}

function number(question: IQuestion, name: string, changed: Changed): IInput {
  const field = element('input', 'tfl-number', {
    type: 'text',
    inputmode: 'decimal',
    autocomplete: 'off',
    size: '12',
    name
  });
  field.oninput = () => changed();
  const unit = question.unit ? ` ${question.unit}` : '';
  return {
    node: element('label', 'tfl-option', {}, 'Your number: ', field, unit),
    get value() {
      return read(field.value) ?? 'Type one number first, such as 12 or 0.5.';
    },
    set value(value) {
      field.value = String(value);
    },
    get state() {
      return field.value;
    },
    set state(state) {
      field.value = String(state);
    }
  };
}

function order(question: IQuestion, items: Element[], changed: Changed): IInput {
  const options = question.options ?? [];
  const node = element('ol', 'tfl-steps');
  const steps = options.map((option, place) => {
    const text = element('span', 'tfl-step', {}, ...copies(items[place]));
    const up = mover(option, -1);
    const down = mover(option, 1);
    return element('li', '', { 'data-step': option }, up, down, text);
  });
  node.append(...steps);

  function mover(option: string, by: number): HTMLButtonElement {
    const button = element(
      'button',
      'tfl-button tfl-move',
      { type: 'button', 'aria-label': `Move ${by < 0 ? 'up' : 'down'}: ${option}` },
      by < 0 ? '↑' : '↓'
    );
    button.onclick = () => {
      const step = button.parentElement!;
      const other = by < 0 ? step.previousElementSibling : step.nextElementSibling;
      if (other) {
        by < 0 ? other.before(step) : other.after(step);
        button.focus(); // moving it has taken the focus away
        mark();
        const place = [...node.children].indexOf(step) + 1;
        changed(`${option} is now at place ${place} of ${options.length}.`);
      }
    };
    return button;
  }

  // A button that can do no more stays, so that the focus is not lost.
  function mark(): void {
    [...node.children].forEach((step, place) => {
      const [up, down] = step.querySelectorAll('button');
      up.setAttribute('aria-disabled', String(place === 0));
      down.setAttribute('aria-disabled', String(place === options.length - 1));
    });
  }

  const now = () => [...node.children].map(step => (step as HTMLElement).dataset.step!);
  const set = (wanted: unknown) => {
    const found = places(question, wanted);
    if (found) {
      node.replaceChildren(...found.map(place => steps[place]));
      mark();
    }
  };
  mark();
  return {
    node,
    get value() {
      return now();
    },
    set value(value) {
      set(value);
    },
    get state() {
      return now();
    },
    set state(state) {
      set(state);
    }
  };
}
