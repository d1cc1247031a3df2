import { VDomRenderer } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import * as React from 'react';
import { Deeds } from './deeds';
import { labsIcon } from './icon';
import { LabsModel } from './model';
import { View } from './view';

export const PANEL = 'tensorflow-labs';

/** The panel in JupyterLab's side bar. */
export class Panel extends VDomRenderer<LabsModel> {
  constructor(
    model: LabsModel,
    private _deeds: Deeds,
    private _unfold: (lab: string) => void
  ) {
    super(model);
    this.id = PANEL;
    this.addClass('tfl-panel');
    this.title.icon = labsIcon;
    this.title.caption = 'TensorFlow Labs: your labs and how far you are';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'TensorFlow Labs');
    this.node.tabIndex = -1;
  }

  protected render(): JSX.Element {
    return (
      <View model={this.model} deeds={this._deeds} unfold={this._unfold} />
    );
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.focus();
  }

  /** What happened elsewhere, in a terminal for instance, shows when the panel does. */
  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.soon();
  }
}
