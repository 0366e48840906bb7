// What the bundler makes of files that are no TypeScript: build.ts says how.
declare module '*.graphql' {
  const text: string;
  export default text;
}
declare module '*.css';
