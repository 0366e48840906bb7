import { refusalType } from '@agentstore/kernel/graphql/refusals';
import { fromGlobalId } from '@agentstore/kernel/ids';
import type { Refusal } from '@agentstore/kernel/outcome';
import { builder } from '../builder.ts';
import { catalogue, OfferingVersionType } from './offering.graphql.ts';
import type { OfferingVersion } from './offerings.store.ts';
import { publishOfferingVersion, uploadOfferingVersion } from './publish-offering-version.ts';

const OfferingVersionError = refusalType(builder, 'OfferingVersion', {
  OFFERING_NOT_FOUND: 'No such offering, or it is not yours to publish.',
  VERSION_NOT_FOUND: 'No such version, or it is not yours to publish.',
  VERSION_IMMUTABLE: 'A published version never changes.',
  ARTIFACT_MISSING: 'The artifact was not uploaded yet.',
  ARTIFACT_MISMATCH: 'The uploaded bytes have another size or sha256 than announced.',
  ARTIFACT_REFUSED: 'The flow contains what may not be published.',
  INVALID_INPUT: 'A value of the input is not usable.',
});
interface VersionPayload {
  readonly version: OfferingVersion | null;
  readonly uploadUrl: string | null;
  readonly errors: readonly Refusal[];
}
const OfferingVersionPayload = builder.objectRef<VersionPayload>('OfferingVersionPayload').implement({
  description: 'What became of a command on an offering version.',
  fields: (t) => ({
    offeringVersion: t.field({
      type: OfferingVersionType,
      nullable: true,
      description: 'The version.',
      resolve: ({ version }) => version,
    }),
    uploadUrl: t.exposeString('uploadUrl', {
      nullable: true,
      description: 'PUT the artifact here within 15 minutes.',
    }),
    errors: t.field({
      type: [OfferingVersionError],
      description: 'Why it was refused.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});
const ConnectorRequirementInput = builder.inputType('ConnectorRequirementInput', {
  description: 'Tools of one connector that a flow calls.',
  fields: (t) => ({
    connector: t.string({ description: 'Slug of the connector.' }),
    tools: t.stringList({ description: 'Names of its tools, at least one.' }),
    arguments: t.field({
      type: 'JSON',
      required: false,
      description: 'By tool: JSON Schema (2020-12) that its arguments have to satisfy besides its own.',
    }),
  }),
});
const OfferingVersionUploadInput = builder.inputType('OfferingVersionUploadInput', {
  description: 'A new version, announced.',
  fields: (t) => ({
    offeringId: t.id({ description: 'Of which offering.' }),
    version: t.string({ description: 'Its number.' }),
    sha256: t.string({ description: 'sha256 of the artifact, lower-case hex.' }),
    sizeBytes: t.int({ description: 'Size of the artifact in bytes, at most 2 MiB.' }),
    configSchema: t.field({
      type: 'JSON',
      required: false,
      description: 'JSON Schema of what a buyer may configure.',
    }),
    requiredConnectors: t.field({
      type: [ConnectorRequirementInput],
      required: false,
      description: 'Tools that its flow calls; none unless said.',
    }),
  }),
});
builder.mutationField('offeringVersionUpload', (t) =>
  t.field({
    type: OfferingVersionPayload,
    description: 'Announces a version and answers where to PUT its artifact. Needs offering:publish.',
    args: { input: t.arg({ type: OfferingVersionUploadInput, description: 'The version.' }) },
    resolve: async (_root, { input }, { deps, caller }) => {
      const outcome = await uploadOfferingVersion(deps, caller, {
        ...input,
        offeringId: fromGlobalId('Offering', input.offeringId),
        configSchema: (input.configSchema as object | null) ?? { type: 'object', properties: {} },
        requiredConnectors: (input.requiredConnectors ?? []).map((one) => ({
          ...one,
          arguments: one.arguments ?? {},
        })),
        readScope: catalogue,
      });
      return outcome.ok
        ? { version: outcome.value.version, uploadUrl: outcome.value.uploadUrl, errors: [] }
        : { version: null, uploadUrl: null, errors: [outcome.error] };
    },
  }),
);
const OfferingVersionPublishInput = builder.inputType('OfferingVersionPublishInput', {
  description: 'Which version to publish.',
  fields: (t) => ({ offeringVersionId: t.id({ description: 'The draft.' }) }),
});
builder.mutationField('offeringVersionPublish', (t) =>
  t.field({
    type: OfferingVersionPayload,
    description: 'Checks the uploaded artifact and makes the version immutable. Needs offering:publish.',
    args: { input: t.arg({ type: OfferingVersionPublishInput, description: 'The version.' }) },
    resolve: async (_root, { input }, { deps, caller }) => {
      const outcome = await publishOfferingVersion(deps, caller, {
        versionId: fromGlobalId('OfferingVersion', input.offeringVersionId),
        readScope: catalogue,
      });
      return outcome.ok
        ? { version: outcome.value, uploadUrl: null, errors: [] }
        : { version: null, uploadUrl: null, errors: [outcome.error] };
    },
  }),
);
