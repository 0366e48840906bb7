import { useGraphiQL, useGraphiQLActions, type GraphiQLPlugin } from '@graphiql/react';
import { createContext, useContext } from 'react';
import { examples, type Example } from './examples.ts';
import { useStream } from './stream.ts';
import { variablesFor } from './variables.ts';

/** The ids that examples are filled with; asked when one is opened, since a run may have been started meanwhile. */
export const KnownIds = createContext<() => Readonly<Record<string, string>>>(() => ({}));

function Examples() {
  const { addTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const ids = useContext(KnownIds);
  const open = ({ query }: Example): void => {
    addTab();
    queryEditor?.setValue(query);
    variableEditor?.setValue(JSON.stringify(variablesFor(query, ids()), null, 2));
  };
  return (
    <section className="store-panel" aria-label="Examples">
      <h2>The main job</h2>
      <p>Each opens in a tab of its own, with the ids of the chosen organization filled in.</p>
      <ol>
        {examples.map((example) => (
          <li key={example.title}>
            <button type="button" onClick={() => open(example)}>
              <small>{example.kind}</small>
              {example.title}
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Stream() {
  const { operation, events, text } = useStream();
  if (!operation)
    return (
      <section className="store-panel" aria-label="Stream">
        <h2>Stream</h2>
        <p>Run a subscription: its events come here one by one, with their seq and their time.</p>
      </section>
    );
  return (
    <section className="store-panel" aria-label="Stream">
      <h2>{operation}</h2>
      {text && <blockquote data-testid="stream-text">{text}</blockquote>}
      <table>
        <thead>
          <tr>
            <th scope="col">seq</th>
            <th scope="col">ms</th>
            <th scope="col">event</th>
          </tr>
        </thead>
        <tbody data-testid="stream-events">
          {events.map((event, index) => (
            <tr key={`${event.seq}-${index}`}>
              <td>{event.seq}</td>
              <td>{Math.round(event.afterMs)}</td>
              <td>
                {event.type} <span>{event.text}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const icon = (path: string) => () => (
  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
    <path d={path} />
  </svg>
);

export const examplesPanel: GraphiQLPlugin = {
  title: 'Examples',
  icon: icon('M4 5h16M4 12h16M4 19h10'),
  content: Examples,
};
export const streamPanel: GraphiQLPlugin = {
  title: 'Stream',
  icon: icon('M3 12h4l3-8 4 16 3-8h4'),
  content: Stream,
};
