using Chaperone.Platform.Ledger;

namespace Chaperone.Platform.Operations;

/// <summary>The clinic's log by index, as an operation passes it on: in the operation's own transaction, and only after the monitor has decided.</summary>
public sealed class ClinicSlices(OperationScope scope, LedgerSlices slices)
{
    /// <summary>See <see cref="LedgerSlices.SizeAsync"/>.</summary>
    public Task<long> SizeAsync(CancellationToken cancel) => LedgerSlices.SizeAsync(scope.Transaction, cancel);

    /// <summary>See <see cref="LedgerSlices.TimeAsync"/>.</summary>
    public Task<DateTimeOffset?> TimeAsync(long index, CancellationToken cancel) => LedgerSlices.TimeAsync(scope.Transaction, index, cancel);

    /// <summary>See <see cref="LedgerSlices.ReadAsync"/>.</summary>
    public Task<LogSlice?> ReadAsync(long from, long end, CancellationToken cancel) => slices.ReadAsync(scope.Transaction, from, end, cancel);
}
