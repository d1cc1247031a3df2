// Remember which hints were opened on the card of a check.
import * as api from './api';
import { LabsModel } from './model';

/** Tell the server of each hint that is unfolded. */
export function watchHints(model: LabsModel): void {
  // A fold that opens tells nobody above it: so this listens on the way down.
  document.addEventListener('toggle', event => void opened(event.target, model), true);
}

async function opened(target: EventTarget | null, model: LabsModel): Promise<void> {
  if (!(target instanceof HTMLDetailsElement) || !target.open || !target.matches('.labs-hint')) {
    return;
  }
  const { lab = '', exercise = '', number } = target.dataset;
  const row = model.lab(lab)?.exercises.find(one => one.exercise === exercise);
  if (!row || row.hints >= Number(number)) {
    return;
  }
  try {
    await api.hintSeen(lab, exercise, Number(number));
    model.soon();
  } catch (error) {
    model.complain(error);
  }
}
