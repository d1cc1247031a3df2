// The panel as a person sees, hears and types it. State is told by sign and word, never by colour alone.
import * as React from 'react';
import * as api from './api';
import { Deeds } from './deeds';
import { LabsModel, WORDS } from './model';
import { Ring } from './ring';

const SIGNS: Record<api.CheckState, string> = {
  passed: '✓',
  wrong: '✗',
  error: '!',
  blank: '○'
};

interface IProps {
  model: LabsModel;
  deeds: Deeds;
  unfold: (lab: string) => void;
}

export function View({ model, deeds, unfold }: IProps): JSX.Element {
  const { state } = model;
  return (
    <>
      <h2>TensorFlow Labs</h2>
      {state && <Summary state={state} deeds={deeds} model={model} />}
      <div
        className={model.shown ? 'tfl-said' : 'tfl-heard'}
        role="status"
        aria-live="polite"
      >
        {model.said && <p>{inline(model.said)}</p>}
      </div>
      <div className="tfl-trouble" role="alert">
        {model.trouble && (
          <p>
            <span aria-hidden="true">! </span>
            {inline(model.trouble)}
          </p>
        )}
      </div>
      {!state && !model.trouble && <p>Asking the server …</p>}
      {!state && model.trouble && (
        <Button onClick={() => void model.refresh()}>Try again</Button>
      )}
      {state?.modules.map(module => (
        <Module
          key={module.name}
          {...{ module, model, deeds, unfold }}
        />
      ))}
    </>
  );
}

function Summary(props: {
  state: api.IState;
  model: LabsModel;
  deeds: Deeds;
}): JSX.Element {
  const { state, model, deeds } = props;
  const labs = state.modules.flatMap(module => module.labs);
  const passed = sum(labs, lab => lab.passed);
  const all = sum(labs, lab => lab.exercises.length);
  const next = state.go_on;
  const outside = labs.length > 0 && labs.every(lab => lab.path === null);
  return (
    <>
      <p className="tfl-count">
        {passed} of {all} exercises passed
        {time(sum(labs, lab => lab.minutes_left))}
      </p>
      {outside && (
        <p>
          Your labs are in <span className="tfl-path">{state.workspace}</span>,
          which this JupyterLab does not show: open them with{' '}
          <code>labs start</code>.
        </p>
      )}
      {next && !outside && !next.finished && (
        <Button
          primary
          busy={model.busy}
          onClick={() => void deeds.goOn()}
        >
          {next.begun ? 'Go on' : 'Begin'}: {next.title}
        </Button>
      )}
      {next?.finished && <p>✓ You have passed everything there is.</p>}
    </>
  );
}

function Module(
  props: IProps & { module: api.IModule }
): JSX.Element {
  const { module, ...rest } = props;
  const passed = sum(module.labs, lab => lab.passed);
  const all = sum(module.labs, lab => lab.exercises.length);
  const id = `tfl-module-${module.name}`;
  return (
    <section aria-labelledby={id} data-module={module.name}>
      <h3 id={id}>
        {module.title}{' '}
        <span className="tfl-count">
          {passed} of {all}
        </span>
      </h3>
      <ul>
        {module.labs.map(lab => (
          <Lab key={lab.name} lab={lab} {...rest} />
        ))}
      </ul>
    </section>
  );
}

function Lab(props: IProps & { lab: api.ILab }): JSX.Element {
  const { lab, model, deeds, unfold } = props;
  const open = model.unfolded.has(lab.name);
  const id = `tfl-lab-${lab.name.replace(/\W/g, '-')}`;
  const here = lab.path !== null;
  const own = lab.copy !== 'fresh' && lab.copy !== 'unbuilt';
  const inFront = model.here === lab;
  const node = React.useRef<HTMLLIElement>(null);
  React.useEffect(() => {
    if (inFront) {
      node.current?.scrollIntoView({ block: 'nearest' });
    }
  }, [inFront]);
  return (
    <li className="tfl-lab" data-lab={lab.name} ref={node}>
      <h4>
        <button
          className="tfl-fold"
          aria-expanded={open}
          aria-controls={id}
          aria-current={inFront ? 'true' : undefined}
          onClick={() => unfold(lab.name)}
        >
          <Ring passed={lab.passed} of={lab.exercises.length} />
          <span className="tfl-title">{lab.title}</span>
          <span className="tfl-count">
            {lab.passed} of {lab.exercises.length} passed
            {time(lab.minutes_left)}
          </span>
        </button>
      </h4>
      <div id={id} className="tfl-inside" hidden={!open}>
        {open && (
          <>
            <p>{inline(lab.promise)}</p>
            <p className="tfl-count">
              {lab.level}, {lab.minutes} minutes in all, {lab.points} of{' '}
              {lab.of_points} points
            </p>
            {lab.questions > 0 && (
              <p className="tfl-count">
                {lab.answered} of {lab.questions} questions answered
                {lab.answered > 0 && `, ${lab.right_at_once} right at once`}
              </p>
            )}
            {lab.copy === 'damaged' && (
              <p>
                Your copy cannot be read as a notebook; it is kept as it is.
                Begin anew to put it aside.
              </p>
            )}
            {lab.copy === 'unbuilt' && (
              <p>
                The notebook of this lab is not built: run{' '}
                <code>labs build {lab.name}</code>.
              </p>
            )}
            {lab.trouble && <p>{lab.trouble}</p>}
            {here && (
              <div className="tfl-row">
                <Button
                  primary
                  busy={model.busy}
                  about={lab.title}
                  onClick={() => void deeds.open(lab.name)}
                >
                  Open
                </Button>
                {own && (
                  <Button
                    busy={model.busy}
                    about={lab.title}
                    onClick={() => void deeds.reset(lab)}
                  >
                    Begin anew…
                  </Button>
                )}
              </div>
            )}
            {here && lab.copy === 'older' && (
              <p>
                There is a newer version of this lab. Your copy stays, and your
                answers are carried over.{' '}
                <Button
                  busy={model.busy}
                  about={lab.title}
                  onClick={() => void deeds.upgrade(lab)}
                >
                  Take the newer version
                </Button>
              </p>
            )}
            <ol>
              {lab.exercises.map(row => (
                <Exercise key={row.exercise} {...{ row, lab, model, deeds }} />
              ))}
            </ol>
          </>
        )}
      </div>
    </li>
  );
}

function Exercise(props: {
  row: api.IExercise;
  lab: api.ILab;
  model: LabsModel;
  deeds: Deeds;
}): JSX.Element {
  const { row, lab, model, deeds } = props;
  const passed = row.state === 'passed';
  const asked = Math.min(row.hints, row.of_hints);
  return (
    <li
      className="tfl-exercise"
      data-exercise={row.exercise}
      data-state={row.state}
    >
      <div className="tfl-state" aria-hidden="true">
        {SIGNS[row.state]}
      </div>
      <div>
        {lab.path !== null ? (
          <button
            className="tfl-go"
            title={row.task}
            aria-label={`Go to ${row.exercise}`}
            aria-disabled={model.busy}
            onClick={() =>
              model.busy || void deeds.open(lab.name, row.exercise)
            }
          >
            {row.exercise}
          </button>
        ) : (
          <code title={row.task}>{row.exercise}</code>
        )}
        <p className="tfl-count">
          <span className="tfl-state">{WORDS[row.state]}</span>
          {row.tries > 0 &&
            ` after ${row.tries} ${row.tries === 1 ? 'try' : 'tries'}`}
          , {plural(row.points, 'point')}, {row.minutes} min, {row.difficulty}
        </p>
      {row.says && <p className="tfl-says">{inline(row.says)}</p>}
      {!passed && row.hint_texts.length > 0 && (
        <ul className="tfl-hints" aria-label={`Hints for ${row.exercise}`}>
          {row.hint_texts.map((text, place) => (
            <li key={place}>
              <strong>Hint {place + 1}:</strong> {inline(text)}
            </li>
          ))}
        </ul>
      )}
      {!passed && (
        // After the last hint it stays: where it has the focus, the focus must not be lost.
        <Button
          busy={model.busy || asked === row.of_hints}
          about={row.exercise}
          onClick={() => void deeds.hint(lab.name, row.exercise)}
        >
          {asked < row.of_hints
            ? `Hint ${asked + 1} of ${row.of_hints}`
            : 'No more hints'}
        </Button>
      )}
      </div>
    </li>
  );
}

/**
 * A button that stays where it is, and keeps the focus, while something is being done. `about` follows its words for
 * those who hear it alone.
 */
function Button(props: {
  children: React.ReactNode;
  onClick: () => void;
  about?: string;
  primary?: boolean;
  busy?: boolean;
}): JSX.Element {
  const { children, onClick, about, primary, busy } = props;
  return (
    <button
      className={primary ? 'tfl-button tfl-primary' : 'tfl-button'}
      aria-disabled={busy}
      onClick={() => busy || onClick()}
    >
      {children}
      {about && <span className="tfl-heard">: {about}</span>}
    </button>
  );
}

/** Text with what stands between backquotes as code. */
function inline(text: string): React.ReactNode {
  const pieces = text.split('`');
  if (pieces.length % 2 === 0) {
    return text;
  }
  return pieces.map((piece, place) =>
    place % 2 ? <code key={place}>{piece}</code> : piece
  );
}

function time(minutes: number): string {
  if (!minutes) {
    return '';
  }
  const hours = Math.round(minutes / 30) / 2;
  return minutes < 90
    ? `, about ${minutes} min left`
    : `, about ${hours} hours left`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function sum<T>(things: T[], of: (thing: T) => number): number {
  return things.reduce((total, thing) => total + of(thing), 0);
}
