/** What the local machine offers through native calls. */
package dev.fathom.host;
