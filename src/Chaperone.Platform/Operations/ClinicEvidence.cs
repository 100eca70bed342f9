using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Platform.Operations;

/// <summary>What proves the clinic's log to somebody outside, as an operation makes it: in the operation's own transaction, and only after the monitor has decided.</summary>
public sealed class ClinicEvidence(OperationScope scope, LedgerEvidence evidence, LedgerSelection selection)
{
    /// <summary>See <see cref="LedgerEvidence.OfEventAsync"/>. Whom the event names is for the handler to register.</summary>
    public Task<ProvenEvent?> OfEventAsync(Guid id, Func<VerifierKey, bool, string>? policy, CancellationToken cancel) => evidence.OfEventAsync(scope.Transaction, id, policy, cancel);

    /// <summary>See <see cref="LedgerSelection.ProveAsync"/>. Whom the events name is for the handler to register.</summary>
    public Task<ProvenSelection?> OfSelectionAsync(IReadOnlyCollection<Guid> ids, Guid anchor, Func<VerifierKey, bool, string>? policy, CancellationToken cancel) => selection.ProveAsync(scope.Transaction, ids, anchor, policy, cancel);

    /// <summary>See <see cref="LedgerSelection.BeginAsync"/>. Whom the events name is for the handler to register.</summary>
    public Task<EntryProofs?> BeginAsync(Guid anchor, Func<VerifierKey, bool, string>? policy, CancellationToken cancel) => selection.BeginAsync(scope.Transaction, anchor, policy, cancel);

    /// <summary>See <see cref="LedgerEvidence.OfConsistencyAsync"/>.</summary>
    public Task<ProvenConsistency?> OfConsistencyAsync(long one, long other, CancellationToken cancel) => evidence.OfConsistencyAsync(scope.Transaction, one, other, cancel);

    /// <summary>See <see cref="LedgerEvidence.KeptAsync"/>.</summary>
    public Task<IReadOnlyList<KeptCheckpoint>> KeptAsync(long? below, int limit, CancellationToken cancel) => LedgerEvidence.KeptAsync(scope.Transaction, below, limit, cancel);

    /// <summary>See <see cref="LedgerEvidence.NewestAsync"/>.</summary>
    public Task<SignedNote?> NewestAsync(CancellationToken cancel) => LedgerEvidence.NewestAsync(scope.Transaction, cancel);

    /// <summary>See <see cref="LedgerEvidence.TileAsync"/>.</summary>
    public Task<byte[]?> TileAsync(TileAddress address, long size, CancellationToken cancel) => LedgerEvidence.TileAsync(scope.Transaction, address, size, cancel);

    /// <summary>The log's key.</summary>
    public ValueTask<VerifierKey> KeyAsync(CancellationToken cancel) => evidence.KeyAsync(scope.Tenant.Id, cancel);
}
