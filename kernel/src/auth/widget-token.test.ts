import { SignJWT, importJWK } from 'jose';
import { expect, it } from 'vitest';
import { uuidv7 } from '../ids.ts';
import { generateInternalKey } from './internal-token.ts';
import { widgetTokenSigner, widgetTokenVerifier } from './widget-token.ts';

const { privateJwk, jwks } = await generateInternalKey('router');
const verify = widgetTokenVerifier(jwks);
const grant = {
  sessionId: uuidv7(),
  visitorId: uuidv7(),
  instanceId: uuidv7(),
  organizationId: uuidv7(),
  origin: 'https://shop.example',
  spendCap: '5',
};

it.each([true, false])('carries the grant, with showToolSteps %s', async (showToolSteps) => {
  const token = await (await widgetTokenSigner(privateJwk))({ ...grant, showToolSteps }, 60);
  expect((await verify(token)).grant).toEqual({ ...grant, showToolSteps });
});

it('of before tool steps were asked about shows none', async () => {
  const token = await new SignJWT({ grant })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'router', typ: 'agentstore-widget+jwt' })
    .setIssuer('agentstore-router')
    .setAudience('agentstore-widget')
    .setSubject(grant.visitorId)
    .setJti('j')
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(await importJWK(privateJwk, 'EdDSA'));
  expect((await verify(token)).grant).toEqual({ ...grant, showToolSteps: false });
});
