// One question of the prose as a form. The folds of the prose stay in the page: they hold the reasons, and what is
// shown is copied from them, with its code and emphasis.
import { isRight, IQuestion, mistake, places, Value } from './judge';
import { copies, element } from './element';
import { asks, IInput } from './input';

/** What has become of an answer. */
export interface IKept {
  /** The last answer that was checked. */
  value?: Value;
  /** What stands in the form and was not checked. */
  draft?: unknown;
  /** Why the answer could not be remembered. */
  trouble?: string;
}

let count = 0;

export class Form {
  readonly node: HTMLFormElement;
  private _input: IInput;
  private _says = element('div', 'tfl-why', { role: 'status', 'aria-live': 'polite' });
  private _more = element('button', 'tfl-button', { type: 'button', 'aria-expanded': 'false' });
  private _shown = '';
  private _touched = false;

  /**
   * @param question what is asked.
   * @param folds its folds in the prose.
   * @param list the list of steps in the prose, for an order.
   * @param check told of each answer that is checked.
   * @param draft told of what stands in the form before it is checked.
   */
  constructor(
    readonly question: IQuestion,
    private _folds: HTMLDetailsElement[],
    list: Element | null,
    check: (value: Value) => void,
    draft: (state: unknown) => void
  ) {
    const name = `tfl-question-${++count}`;
    const shown = list ? [...list.children] : _folds.map(fold => fold.querySelector('summary')!);
    this._input = asks(question, shown, name, sentence => {
      this._touched = true;
      draft(this._input.state);
      if (sentence) {
        this._say(element('p', 'tfl-heard', {}, sentence));
      }
    });
    const button = element('button', 'tfl-button tfl-primary', { type: 'submit' }, 'Check');
    const label = element('legend', 'tfl-heard', {}, question.asks);
    const fields = element('fieldset', '', {}, label, this._input.node);
    const row = element('div', 'tfl-row', {}, button, this._more);
    this.node = element('form', 'tfl-question', { 'data-question': question.id, 'data-state': 'blank' }, fields, row, this._says);
    this.node.noValidate = true;
    this._more.hidden = true;
    this._more.textContent = question.options && question.kind !== 'order' ? 'Show every reason' : 'Show the answer';
    this._more.onclick = () => this._unfold(this._more.getAttribute('aria-expanded') !== 'true');
    this.node.onsubmit = event => {
      event.preventDefault();
      const value = this._input.value;
      if (typeof value === 'string') {
        this._say(element('p', '', {}, value));
      } else {
        this._touched = false;
        this._tell(value, '');
        check(value);
      }
    };
    keepToItself(this.node);
    [..._folds, list].forEach(part => part?.classList.add('tfl-folded'));
  }

  /** Show what is remembered, unless the learner is about to answer anew. */
  show(kept: IKept): void {
    if (kept.draft !== undefined && !this._touched) {
      this._input.state = kept.draft;
      this._touched = true;
    }
    const { value, trouble = '' } = kept;
    const now = JSON.stringify([value, trouble]);
    if (value !== undefined && now !== this._shown && fits(this.question, value)) {
      if (!this._touched) {
        this._input.value = value;
      }
      this._tell(value, trouble);
    }
  }

  private _tell(value: Value, trouble: string): void {
    const right = isRight(this.question, value);
    this._shown = JSON.stringify([value, trouble]);
    this.node.dataset.state = right ? 'right' : 'wrong';
    const sign = element('span', 'tfl-sign', { 'aria-hidden': 'true' }, right ? '✓ ' : '✗ ');
    const said = right ? this._praise() : this._blame(value);
    const [first] = said;
    if (first instanceof HTMLElement && first.tagName === 'P') {
      first.prepend(sign);
    } else {
      said.unshift(element('p', '', {}, sign, right ? 'Right.' : 'Not yet.'));
    }
    if (!right) {
      said.push(element('p', 'tfl-count', {}, 'Answer again as often as you like. The first answer is the one that counts.'));
    }
    if (trouble) {
      said.push(element('p', 'tfl-trouble', {}, trouble));
    }
    this._say(...said);
    this._more.hidden = false;
  }

  /** The reason why the answer is right, whose words begin with that. */
  private _praise(): Node[] {
    const { kind, right } = this.question;
    if (kind === 'number') {
      const reasons = reason(this._folds[0]).filter(node => node.nodeName !== 'UL');
      return [element('p', '', {}, 'Right.'), ...reasons];
    }
    if (kind === 'order') {
      return [element('p', '', {}, 'Right.'), ...reason(this._folds[0])];
    }
    const whys = (right as number[]).map(place => reason(this._folds[place]));
    return kind === 'one' ? whys[0] : [element('p', '', {}, 'Right, and nothing else.'), this._list(right as number[])];
  }

  private _blame(value: Value): Node[] {
    const { kind, right, options = [] } = this.question;
    if (typeof value === 'number') {
      const known = this._folds[0].querySelectorAll('ul > li')[mistake(this.question, value)];
      const much = value > (right as number) ? 'large' : 'small';
      return known
        ? [element('p', '', {}, 'Not yet. ', ...copies(known))]
        : [element('p', '', {}, `Not yet: that is too ${much}.`)];
    }
    const given = places(this.question, value) ?? [];
    const wanted = right as number[];
    if (kind === 'order') {
      const at = given.findIndex((place, number) => place !== wanted[number]);
      const why = this._folds[0].querySelectorAll('ol > li')[wanted.indexOf(given[at])];
      const good = at === 1 ? 'The first is in its place. ' : at ? `The first ${at} are in their places. ` : '';
      return [element('p', '', {}, `Not yet. ${good}At place ${at + 1} does not stand: `, ...copies(why))];
    }
    if (kind === 'one') {
      const [first, ...rest] = reason(this._folds[given[0]]);
      return [element('p', '', {}, 'Not yet. ', ...copies(first)), ...rest];
    }
    const wrong = given.filter(place => !wanted.includes(place));
    const missing = wanted.filter(place => !given.includes(place)).length;
    const still = missing === 1 ? 'One that holds is missing.' : missing ? `${missing} that hold are missing.` : '';
    const said = [element('p', '', {}, `Not yet. ${still}`)];
    return wrong.length && options.length ? [...said, this._list(wrong)] : said;
  }

  /** The reasons of some choices, each under its name. */
  private _list(chosen: number[]): HTMLElement {
    const items = chosen.map(place => {
      const name = element('strong', '', {}, this.question.options![place]);
      return element('li', '', {}, name, ': ', ...reason(this._folds[place]).flatMap(copies));
    });
    return element('ul', '', {}, ...items);
  }

  private _say(...parts: Node[]): void {
    this._says.replaceChildren(...parts);
  }

  private _unfold(open: boolean): void {
    this._more.setAttribute('aria-expanded', String(open));
    for (const fold of this._folds) {
      fold.classList.toggle('tfl-folded', !open);
      fold.open = open;
    }
  }
}

export function fits(question: IQuestion, value: unknown): value is Value {
  return question.kind === 'number'
    ? typeof value === 'number'
    : places(question, value) !== null;
}

/** A copy of what a fold holds. */
function reason(fold: Element): Node[] {
  return [...fold.children]
    .filter(child => child.tagName !== 'SUMMARY')
    .map(child => child.cloneNode(true));
}

/** Keys and double clicks are meant for the form, and not for the notebook around it; running the cell still works. */
function keepToItself(form: HTMLFormElement): void {
  form.addEventListener('keydown', event => {
    const run = event.key === 'Enter' && event.shiftKey;
    if (!event.ctrlKey && !event.metaKey && !event.altKey && !run) {
      event.stopPropagation();
    }
  });
  form.addEventListener('dblclick', event => event.stopPropagation());
}

