import {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStateDB } from '@jupyterlab/statedb';
import { Deeds } from './deeds';
import { watchHints } from './hints';
import { labsIcon } from './icon';
import { LabsModel } from './model';
import { Panel, PANEL } from './panel';
import { Questions } from './questions';
import { listen, watch } from './watch';

const CATEGORY = 'TensorFlow Labs';
const GO_ON = 'tensorflow-labs:go-on';
const SHOW = 'tensorflow-labs:show';
const KEPT = 'tensorflow-labs:panel';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'tensorflow-labs:panel',
  description: 'The labs, how far you are in each, and what to do next.',
  autoStart: true,
  requires: [IDocumentManager, INotebookTracker],
  optional: [ILabShell, ILayoutRestorer, IStateDB, ICommandPalette, ILauncher],
  activate: (
    app: JupyterFrontEnd,
    documents: IDocumentManager,
    notebooks: INotebookTracker,
    shell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    kept: IStateDB | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null
  ) => {
    const model = new LabsModel();
    const deeds = new Deeds(model, documents);
    const panel = new Panel(model, deeds, lab => {
      if (!model.unfolded.delete(lab)) {
        model.unfolded.add(lab);
      }
      model.stateChanged.emit();
    });
    app.shell.add(panel, 'left', { rank: 90, type: 'TensorFlow Labs' });
    restorer?.add(panel, PANEL);

    addCommands(app, model, deeds);
    for (const command of [GO_ON, SHOW]) {
      palette?.addItem({ command, category: CATEGORY });
    }
    if (launcher) {
      addCard(launcher, model);
    }

    watch(notebooks, () => model.soon());
    listen(app.serviceManager, () => model.soon());
    watchHints(model);
    new Questions(model, notebooks);
    shell?.currentPathChanged?.connect((_, { newValue }) => {
      model.current = newValue;
      model.stateChanged.emit();
    });
    window.addEventListener('focus', () => panel.isVisible && model.soon());

    void begin(app, shell, model, kept).catch(error => model.complain(error));
  }
};

/** Ask for the state, unfold what was unfolded, and show the panel to someone who has never seen it. */
async function begin(
  app: JupyterFrontEnd,
  shell: ILabShell | null,
  model: LabsModel,
  kept: IStateDB | null
): Promise<void> {
  const before = (await kept?.fetch(KEPT)) as IKept | undefined;
  names(before?.unfolded).forEach(lab => model.unfolded.add(lab));
  names(before?.met).forEach(lab => model.met.add(lab));
  await Promise.all([model.refresh(), app.restored]);
  if (!before && model.state?.home) {
    const current = shell?.currentWidget;
    app.shell.activateById(PANEL);
    if (current) {
      app.shell.activateById(current.id); // the keyboard stays with the notebook
    }
  }
  let last = before ? text(model) : '';
  model.stateChanged.connect(() => {
    if (!model.state?.home) {
      return;
    }
    model.meet();
    const now = text(model);
    if (now !== last) {
      last = now;
      void kept?.save(KEPT, JSON.parse(now));
    }
  });
  model.stateChanged.emit();
}

/** What is kept of the panel between two visits. */
interface IKept {
  unfolded?: unknown;
  met?: unknown;
}

function names(found: unknown): string[] {
  return Array.isArray(found) ? found.map(String) : [];
}

function text(model: LabsModel): string {
  return JSON.stringify({ unfolded: [...model.unfolded], met: [...model.met] });
}

function addCommands(app: JupyterFrontEnd, model: LabsModel, deeds: Deeds): void {
  app.commands.addCommand(GO_ON, {
    label: () => {
      const next = model.state?.go_on;
      return next ? `${next.begun ? 'Go on' : 'Begin'}: ${next.title}` : 'Go on';
    },
    caption: 'Open the lab where you stopped',
    icon: labsIcon,
    isEnabled: () => !!model.state?.go_on,
    execute: async () => {
      await deeds.goOn();
      if (model.trouble) {
        app.shell.activateById(PANEL); // where it is told
      }
    }
  });
  app.commands.addCommand(SHOW, {
    label: 'Show the labs and your progress',
    icon: labsIcon,
    execute: () => app.shell.activateById(PANEL)
  });
}

/** Keep a card in the launcher for the lab to go on with. */
function addCard(launcher: ILauncher, model: LabsModel): void {
  let shown = '';
  let card: { dispose(): void } | undefined;
  model.stateChanged.connect(() => {
    const goOn = model.state?.go_on;
    // Not where the labs are out of reach.
    const next = goOn && model.lab(goOn.lab)?.path ? goOn : null;
    const now = next ? `${next.begun} ${next.title}` : '';
    if (now !== shown) {
      shown = now;
      card?.dispose();
      card = next
        ? launcher.add({ command: GO_ON, category: CATEGORY, rank: 0, categoryRank: 0 })
        : undefined;
    }
  });
}

export default plugin;
