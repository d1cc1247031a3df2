// The part of the Jupyter server that knows the labs, the learner's progress and the learner's copies.
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

export type CheckState = 'blank' | 'wrong' | 'error' | 'passed';

export interface IExercise {
  exercise: string;
  task: string;
  state: CheckState;
  says: string;
  tries: number;
  hints: number;
  hint_texts: string[];
  of_hints: number;
  minutes: number;
  points: number;
  difficulty: string;
}

export interface ILab {
  name: string;
  title: string;
  promise: string;
  level: string;
  minutes: number;
  minutes_left: number;
  passed: number;
  points: number;
  of_points: number;
  trouble: string;
  copy: 'fresh' | 'current' | 'older' | 'damaged' | 'unbuilt';
  path: string | null;
  exercises: IExercise[];
  questions: number;
  answered: number;
  right_at_once: number;
  answers: Record<string, IAnswer>;
}

export interface IAnswer {
  first: boolean;
  right: boolean;
  value: number | string[];
  tries: number;
}

export interface IModule {
  name: string;
  title: string;
  labs: ILab[];
}

export interface IGoOn {
  lab: string;
  title: string;
  begun: boolean;
  finished: boolean;
  exercise: string;
}

export interface IState {
  modules: IModule[];
  go_on: IGoOn | null;
  workspace: string;
  home: boolean;
}

export interface IPlace {
  path: string;
  says: string;
}

export interface IHint {
  number: number;
  of: number;
  text: string;
}

export const state = () => ask<IState>('state');
export const open = (lab: string, newer = false) =>
  ask<IPlace>('open', { lab, newer });
export const reset = (lab: string) => ask<IPlace>('reset', { lab });
export const hint = (lab: string, exercise: string) =>
  ask<IHint>('hint', { lab, exercise });
export const hintSeen = (lab: string, exercise: string, number: number) =>
  ask<{ seen: number; of: number }>('hint-seen', { lab, exercise, number });
export const answer = (lab: string, question: string, value: number | string[]) =>
  ask<IAnswer>('answer', { lab, question, value });

/** Ask the server; whatever goes wrong is thrown as an error with one sentence for the learner. */
async function ask<T>(what: string, body?: object): Promise<T> {
  const settings = ServerConnection.makeSettings();
  const url = URLExt.join(settings.baseUrl, 'tensorflow-labs', what);
  const init = body ? { method: 'POST', body: JSON.stringify(body) } : {};
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
  } catch {
    throw new Error('The Jupyter server does not answer: does it still run?');
  }
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) {
    return answer as T;
  }
  if (response.status === 404 && what === 'state') {
    throw new Error(
      'The server was started without the labs: run `labs kernel install` and start JupyterLab again.'
    );
  }
  throw new Error(
    answer?.message || `The Jupyter server refuses this (${response.status}).`
  );
}
