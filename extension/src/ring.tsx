import * as React from 'react';

const SIZE = 22;
const RADIUS = 8.5;
const AROUND = 2 * Math.PI * RADIUS;

/** A ring that fills as exercises pass. The number stands in the text beside it, so readers of text pass it over. */
export function Ring(props: { passed: number; of: number }): JSX.Element {
  const { passed, of } = props;
  const part = of ? passed / of : 0;
  const circle = { cx: SIZE / 2, cy: SIZE / 2, r: RADIUS, fill: 'none' };
  return (
    <svg
      className="tfl-ring"
      width={SIZE}
      height={SIZE}
      viewBox={`0 0 ${SIZE} ${SIZE}`}
      aria-hidden="true"
      focusable="false"
      data-passed={passed}
      data-of={of}
    >
      <circle className="tfl-ring-track" {...circle} />
      {part > 0 && (
        <circle
          className="tfl-ring-part"
          {...circle}
          strokeDasharray={`${part * AROUND} ${AROUND}`}
          transform={`rotate(-90 ${SIZE / 2} ${SIZE / 2})`}
        />
      )}
      {part === 1 && <path className="tfl-ring-done" d="M7 11.400 10 14.200 15 8.400" />}
    </svg>
  );
}
