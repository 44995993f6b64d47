/** Readers and writers of file and table formats: bytes in, records out. */
package dev.fathom.format;
