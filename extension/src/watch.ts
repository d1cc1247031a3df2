// Learn of checks as they run, from what the kernels of open notebooks send, and of all else from the server's events:
// nothing is polled.
import { KernelMessage, ServiceManager } from '@jupyterlab/services';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

/** How a check's card, or a hint's, begins: what a screen reader calls it. */
const CARD = /aria-label="(Check of |Hint \d+ of \d+ for )/;

/** What the labs' part of the server calls its event. */
const CHANGED = 'urn:tensorflow-labs:changed';

const SHOWN = ['display_data', 'update_display_data', 'execute_result'];

/** Call `happened` whenever a notebook shows that a check has run or a hint was given. */
export function watch(notebooks: INotebookTracker, happened: () => void): void {
  const attach = (panel: NotebookPanel) =>
    panel.sessionContext.iopubMessage.connect((_, message) => {
      if (isCard(message)) {
        happened();
      }
    });
  notebooks.forEach(attach);
  notebooks.widgetAdded.connect((_, panel) => attach(panel));
}

/** Call `happened` whenever the server has done something that shows, in this window or another. */
export function listen(services: ServiceManager.IManager, happened: () => void): void {
  services.events.stream.connect((_, emission) => {
    if (emission.schema_id === CHANGED) {
      happened();
    }
  });
}

function isCard(message: KernelMessage.IMessage): boolean {
  if (!SHOWN.includes(message.header.msg_type)) {
    return false;
  }
  const { data } = message.content as { data?: Record<string, unknown> };
  const html = data?.['text/html'];
  const text = Array.isArray(html) ? html.join('') : html;
  return typeof text === 'string' && CARD.test(text);
}
