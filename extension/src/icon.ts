import { LabIcon } from '@jupyterlab/ui-components';

/** A flask in a ring that is not yet full. */
export const labsIcon = new LabIcon({
  name: 'tensorflow-labs:labs',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <path class="jp-icon3" fill="#616161" d="M12 1a11 11 0 1 0 11 11h-2.2A8.8 8.8 0 1 1 12 3.2z"/>
  <path class="jp-icon3" fill="#616161" d="M9 6h6v1.7h-.9v3.1l3.2 5.3c.6 1-.1 2.2-1.2 2.2H7.900c-1.100 0-1.800-1.200-1.200-2.200l3.200-5.300V7.700H9zm2.600 1.700v3.600L9.900 14h4.200l-1.700-2.700V7.700z"/>
</svg>`
});
