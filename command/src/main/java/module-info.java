/** The command language and the commands. */
module dev.fathom.command {
  requires transitive dev.fathom.base;
  requires dev.fathom.format;
  requires transitive dev.fathom.kernel;
  requires transitive dev.fathom.lang;
  requires transitive dev.fathom.model;
  requires transitive dev.fathom.session;
  requires dev.fathom.symbols;
  requires dev.fathom.target;

  exports dev.fathom.command;
  exports dev.fathom.command.control;
  exports dev.fathom.command.crash;
  exports dev.fathom.command.ddb;
  exports dev.fathom.command.kernel;
  exports dev.fathom.command.presenter;
  exports dev.fathom.command.standard;

  uses dev.fathom.command.presenter.Presenter;

  provides dev.fathom.command.presenter.Presenter with
      dev.fathom.command.presenter.boost.HookPresenter,
      dev.fathom.command.presenter.boost.IntrusiveListPresenter,
      dev.fathom.command.presenter.boost.IntrusiveTreePresenter,
      dev.fathom.command.presenter.libcxx.AtomicPresenter,
      dev.fathom.command.presenter.libcxx.BitsetPresenter,
      dev.fathom.command.presenter.libcxx.DequePresenter,
      dev.fathom.command.presenter.libcxx.HashPresenter,
      dev.fathom.command.presenter.libcxx.IteratorPresenter,
      dev.fathom.command.presenter.libcxx.ListPresenter,
      dev.fathom.command.presenter.libcxx.OptionalPresenter,
      dev.fathom.command.presenter.libcxx.PointerPresenter,
      dev.fathom.command.presenter.libcxx.StringPresenter,
      dev.fathom.command.presenter.libcxx.TreePresenter,
      dev.fathom.command.presenter.libcxx.TuplePresenter,
      dev.fathom.command.presenter.libcxx.VectorPresenter,
      dev.fathom.command.presenter.stdcxx.AdaptorPresenter,
      dev.fathom.command.presenter.stdcxx.AtomicPresenter,
      dev.fathom.command.presenter.stdcxx.BitsetPresenter,
      dev.fathom.command.presenter.stdcxx.DequePresenter,
      dev.fathom.command.presenter.stdcxx.HashPresenter,
      dev.fathom.command.presenter.stdcxx.IteratorPresenter,
      dev.fathom.command.presenter.stdcxx.ListPresenter,
      dev.fathom.command.presenter.stdcxx.OptionalPresenter,
      dev.fathom.command.presenter.stdcxx.PointerPresenter,
      dev.fathom.command.presenter.stdcxx.StringPresenter,
      dev.fathom.command.presenter.stdcxx.TreePresenter,
      dev.fathom.command.presenter.stdcxx.TuplePresenter,
      dev.fathom.command.presenter.stdcxx.VectorPresenter;
}
