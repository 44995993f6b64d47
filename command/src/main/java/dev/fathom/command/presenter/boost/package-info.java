/**
 * Presenters of Boost.Intrusive's containers (layouts of Boost 1.53 to 1.86), whose links are
 * members or bases of the elements themselves. May use the presenter package.
 */
package dev.fathom.command.presenter.boost;
