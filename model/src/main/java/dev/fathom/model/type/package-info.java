/**
 * C types, the sources they come from and the chain that joins them. Enters: what a type source
 * decodes. May use base.
 */
package dev.fathom.model.type;
