// What the learner can do from the panel: open a lab, go to an exercise, begin anew, ask for a hint.
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { NotebookPanel } from '@jupyterlab/notebook';
import * as api from './api';
import { LabsModel } from './model';

export class Deeds {
  constructor(
    readonly model: LabsModel,
    private _documents: IDocumentManager
  ) {}

  /** Open a lab, at an exercise if one is given. */
  open(lab: string, exercise = ''): Promise<void> {
    return this.model.attempt(async () => {
      const { path } = await api.open(lab);
      this.model.unfolded.add(lab);
      await this._show(path, exercise);
      this.model.say('');
    });
  }

  /** Open the lab to go on with, where the learner stopped. */
  async goOn(): Promise<void> {
    await this.model.refresh();
    const next = this.model.state?.go_on;
    if (next) {
      await this.open(next.lab, next.exercise);
    }
  }

  /** Take the newer version of a lab, with the learner's answers in it. */
  upgrade(lab: api.ILab): Promise<void> {
    return this.model.attempt(async () => {
      await this._save(lab.path);
      const { path, says } = await api.open(lab.name, true);
      await this._reread(path);
      await this._show(path);
      this.model.say(says, true);
    });
  }

  /** Begin a lab anew, once the learner has said yes. */
  async reset(lab: api.ILab): Promise<void> {
    const answer = await showDialog({
      title: `Begin “${lab.title}” anew?`,
      body:
        'A fresh copy takes the place of your notebook, and its kernel starts again. What you have written is ' +
        'kept beside it under a name with the date, and what has passed stays passed.',
      buttons: [
        Dialog.cancelButton(),
        Dialog.warnButton({ label: 'Begin anew' })
      ],
      defaultButton: 0
    });
    if (!answer.button.accept) {
      return;
    }
    await this.model.attempt(async () => {
      await this._save(lab.path);
      const { path, says } = await api.reset(lab.name);
      await this._reread(path);
      this.model.say(says, true);
    });
  }

  /** Show the next hint of an exercise. */
  hint(lab: string, exercise: string): Promise<void> {
    return this.model.attempt(async () => {
      const { number, of, text } = await api.hint(lab, exercise);
      this.model.say(`Hint ${number} of ${of} for ${exercise}: ${text}`);
    });
  }

  private async _show(path: string, exercise = ''): Promise<void> {
    const widget = this._documents.openOrReveal(path);
    if (!widget) {
      return; // Jupyter Notebook opens it in a page of its own
    }
    await widget.context.ready;
    if (!(widget instanceof NotebookPanel) || !exercise) {
      return;
    }
    await widget.revealed;
    const notebook = widget.content;
    const place = notebook.widgets.findIndex(
      cell => cell.model.id === `exercise-${exercise}`
    );
    if (place >= 0) {
      notebook.deselectAll();
      notebook.activeCellIndex = place;
      await notebook.scrollToItem(place, 'start');
      notebook.activate();
    }
  }

  private _context(path: string | null) {
    const widget = path && this._documents.findWidget(path);
    return widget ? this._documents.contextForWidget(widget) : undefined;
  }

  /** Save what stands in an open notebook, so that it is in the copy that is kept. */
  private async _save(path: string | null): Promise<void> {
    const context = this._context(path);
    if (context?.model.dirty) {
      await context.save();
      if (context.model.dirty) {
        throw new Error(
          'Your notebook could not be saved, so nothing was changed.'
        );
      }
    }
  }

  /** Show in an open notebook what is now on the disk, on a kernel that knows nothing of the old one. */
  private async _reread(path: string): Promise<void> {
    const context = this._context(path);
    if (context) {
      await context.revert();
      if (context.sessionContext.session?.kernel) {
        await context.sessionContext.restartKernel();
      }
    }
  }
}
