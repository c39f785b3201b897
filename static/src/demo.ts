/** The demo: plays the example process `onboarding` as an anonymous visitor. */
import { App } from './demo/app.js';

new App();
