/** The facts of 64-bit Arm. Enters: code bytes. May use base and the rest of model. */
package dev.fathom.model.arch.aarch64;
