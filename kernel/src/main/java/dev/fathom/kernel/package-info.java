/** What an operating system is: recognise it, start from it, walk it. */
package dev.fathom.kernel;
