import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { createFetcher, type Transport } from './graph.ts';
import { examplesPanel, KnownIds, streamPanel } from './panels.tsx';
import { idsMadeBy, loadCatalogueIds, loadViewer, type Viewer } from './places.ts';
import { keepSession, lasting, leaveToSignIn, type Session } from './session.ts';
import type { Settings } from './settings.ts';
import { addToStream, beginStream } from './stream.ts';

const plugins = [examplesPanel, streamPanel, HISTORY_PLUGIN];
const welcome = `# The whole store is one graph: Saleor's types, and ours.
# Sign in above, then open an example from the panel on the left.
# Ctrl-Space completes, Ctrl-Enter runs.
`;

/** GraphiQL with the store's own bar: who asks, for which organization, and how subscriptions travel. */
export function Page(given: { settings: Settings; session: Session | null; fault: string | null }) {
  const { settings } = given;
  const [session, setSession] = useState(given.session);
  const [viewer, setViewer] = useState<Viewer | null>(null);
  const [placeId, setPlaceId] = useState<string | null>(null);
  const [transport, setTransport] = useState<Transport>('graphql-ws');
  const [fault, setFault] = useState(given.fault);
  /** The newest session: a renewed token is the same session, and makes no new render. */
  const live = useRef(given.session);
  const chosenTransport = useRef(transport);
  chosenTransport.current = transport;
  const ids = useRef<Record<string, string>>({});

  const change = useCallback((next: Session | null) => {
    live.current = next;
    keepSession(next);
    setSession(next);
  }, []);

  const bearer = useCallback(async () => {
    if (!live.current) return null;
    const lasts = await lasting(settings, live.current);
    if (!lasts) setFault('Your sign-in has ended. Sign in again.');
    if (lasts) keepSession((live.current = lasts));
    else change(null);
    return lasts?.bearer ?? null;
  }, [settings, change]);

  /** Who asks and where they can work, asked anew when the caller changed or got a workspace. */
  const look = useCallback(async () => {
    const token = await bearer();
    const catalogue = await loadCatalogueIds(token);
    const found = token ? await loadViewer(token) : null;
    if (token !== (live.current?.bearer ?? null)) return; // somebody else by now
    ids.current = { ...catalogue, ...found?.places[0]?.ids, ...ids.current };
    setViewer(found);
    setPlaceId((chosen) => chosen ?? found?.places[0]?.id ?? null);
    if (token && !found) {
      setFault('The credential does not hold here.');
      change(null);
    }
  }, [bearer, change]);
  useEffect(() => {
    ids.current = {};
    setPlaceId(null);
    look().catch((error: unknown) => setFault(String(error)));
  }, [session, look]);

  const fetcher = useMemo(() => {
    let streaming: unknown;
    return createFetcher({
      bearer,
      transport: () => chosenTransport.current,
      onResult(asked, result, isEvent) {
        if (!isEvent) {
          const made = idsMadeBy(result);
          Object.assign(ids.current, made);
          if (made['organizationId']) void look().catch((error: unknown) => setFault(String(error)));
        } else {
          if (streaming !== asked) beginStream(asked.operationName ?? 'Subscription');
          streaming = asked;
          addToStream(result);
        }
      },
    });
  }, [bearer, look]);

  const choose = (id: string): void => {
    setPlaceId(id);
    Object.assign(ids.current, viewer?.places.find((place) => place.id === id)?.ids);
  };
  const enter = (form: FormData): void => {
    const key = form.get('key');
    if (typeof key === 'string' && key.trim()) change({ bearer: key.trim() });
  };

  return (
    <KnownIds.Provider value={() => ids.current}>
      <header className="store-bar">
        <strong>Agent Store</strong>
        {viewer && viewer.places.length > 0 && (
          <label>
            Organization
            <select value={placeId ?? ''} onChange={(event) => choose(event.target.value)}>
              {viewer.places.map((place) => (
                <option key={place.id} value={place.id}>
                  {place.name}
                </option>
              ))}
            </select>
          </label>
        )}
        <label>
          Subscriptions
          <select value={transport} onChange={(event) => setTransport(event.target.value as Transport)}>
            <option>graphql-ws</option>
            <option>SSE</option>
          </select>
        </label>
        <span className="store-space" role="status">
          {fault}
        </span>
        {session ? (
          <>
            <span data-testid="viewer">{viewer?.name ?? '…'}</span>
            <button type="button" onClick={() => change(null)}>
              Sign out
            </button>
          </>
        ) : (
          <>
            <form action={enter}>
              <input name="key" type="password" placeholder="ask_…" aria-label="API key" autoComplete="off" />
              <button type="submit">Use API key</button>
            </form>
            <button
              type="button"
              className="store-primary"
              onClick={() => leaveToSignIn(settings).catch((error: unknown) => setFault(String(error)))}
            >
              Sign in
            </button>
          </>
        )}
      </header>
      {/* Another caller may see another schema, so GraphiQL asks for it anew; its tabs are in the browser's storage and stay. */}
      <GraphiQL
        key={session ? 'signed-in' : 'nobody'}
        fetcher={fetcher}
        plugins={plugins}
        defaultQuery={welcome}
        defaultEditorToolsVisibility="variables"
        isHeadersEditorEnabled={false}
        showPersistHeadersSettings={false}
      />
    </KnownIds.Provider>
  );
}
