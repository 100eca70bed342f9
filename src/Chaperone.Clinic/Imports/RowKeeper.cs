namespace Chaperone.Clinic.Imports;

/// <summary>A row and what becomes of it.</summary>
internal sealed record SortedRow(ReadRow Read)
{
    public bool IsNew { get; init; }

    /// <summary>What is here already and has the row's id.</summary>
    public Guid? Existing { get; init; }

    public bool IsLikelyDuplicate { get; init; }

    /// <summary>Who or what the likely duplicate is, where that is known.</summary>
    public Guid? Twin { get; init; }

    public bool IsFaulty { get; init; }

    public IReadOnlyList<Finding> Findings { get; init; } = [];

    public static SortedRow Fault(ReadRow row, string code, short column = -1) => new(row) { IsFaulty = true, Findings = [new(row.Row, column, code)] };
}

/// <summary>
/// Where rows of a kind end up, within one operation: sorts them into new ones, those that are here already, likely duplicates and faults, and keeps the new ones. The rows of a
/// file go through one keeper in order, as far as one operation goes.
/// </summary>
internal abstract class RowKeeper
{
    /// <summary>Before rows are sorted to be kept: waits for what others might take meanwhile. Not called for a preview.</summary>
    public virtual Task PrepareAsync(IReadOnlyList<ReadRow> rows, CancellationToken cancel) => Task.CompletedTask;

    public abstract Task<IReadOnlyList<SortedRow>> SortAsync(IReadOnlyList<ReadRow> rows, CancellationToken cancel);

    /// <summary>Keeps what is new.</summary>
    public abstract Task AddAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel);

    /// <summary>Remembers of likely duplicates that are not kept what lets later files find what they are.</summary>
    public virtual Task LinkAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel) => Task.CompletedTask;

    /// <summary>Which of these, all here already, are as the file says. They are opened for that only, and nobody is shown anything of them.</summary>
    public abstract Task<IReadOnlySet<int>> SameAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel);

    /// <summary>New rows as the preview shows them, a cell for each of <see cref="ImportWords.Sample"/>.</summary>
    public abstract Task<IReadOnlyList<IReadOnlyList<string>>> SampleAsync(IReadOnlyList<SortedRow> rows, CancellationToken cancel);
}
