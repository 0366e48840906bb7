import { expect, it } from 'vitest';
import { config } from './config.ts';

const url = 'http://127.0.0.1:1';
const environment = {
  PORT: '0',
  OIDC_CLIENT_ID: 'router',
  OIDC_CLIENT_SECRET: 'secret',
  PUBLIC_ORIGIN: url,
  SUPERGRAPH_FILE: 'supergraph.graphql',
  OIDC_ISSUER: url,
  OIDC_AUDIENCE: url,
  INTERNAL_PRIVATE_JWK: '{}',
  CONTROL_PLANE_URL: url,
  BILLING_URL: url,
  RUNS_URL: url,
  RAG_URL: url,
  GITOPS_URL: url,
  SALEOR_API_URL: url,
};

it('wants to be told who the staff of the shop are, also that there is nobody', () => {
  expect(() => config.read(environment)).toThrow(/STAFF_EMAILS/);
  expect(() => config.read({ ...environment, STAFF_EMAILS: '' })).toThrow(/STAFF_EMAILS/);
  expect(config.read({ ...environment, STAFF_EMAILS: 'none' }).STAFF_EMAILS).toEqual([]);
  expect(config.read({ ...environment, STAFF_EMAILS: 'Boss@Shop.test, @shop.test' }).STAFF_EMAILS).toEqual([
    'boss@shop.test',
    '@shop.test',
  ]);
});
