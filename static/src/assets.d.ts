/** Style sheets that a script imports: esbuild bundles them beside it. */
declare module '*.css';
