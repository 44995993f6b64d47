/**
 * C expressions as gdb and crash users type them. Enters: text and a {@link dev.fathom.lang.Scope};
 * leaves: a {@link dev.fathom.model.Value}. {@link dev.fathom.lang.Expressions} is the way in. May
 * use base and model.
 */
package dev.fathom.lang;
