namespace Chaperone.Platform.Jobs;

/// <summary>Something the installation does again and again, on whichever node the scheduler wakes. Features add theirs to the container.</summary>
/// <param name="Name">Its name, also in the database: lower case, never reused for something else.</param>
/// <param name="Every">How often. Times that were missed, all nodes having been down, are made up for by one run.</param>
/// <param name="Run">
/// Does it, for every clinic. It may be broken off anywhere (kill -9) and be run again by another node: what must not happen twice is claimed in a transaction by the work itself.
/// Never two at a time.
/// </param>
public sealed record RecurringWork(string Name, TimeSpan Every, Func<CancellationToken, Task> Run);
