using System.Collections.Frozen;
using System.Reflection;
using Chaperone.Platform.Ledger;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Platform.Operations;

/// <summary>One registered operation.</summary>
/// <param name="Type">The operation's type.</param>
/// <param name="Result">What it answers.</param>
/// <param name="Policy">Its policy.</param>
/// <param name="Handler">The one type that handles it.</param>
public sealed record OperationInfo(Type Type, Type Result, Policy Policy, Type Handler)
{
    /// <summary>The operation's name, as in traces.</summary>
    public string Name => Type.Name;
}

/// <summary>
/// Every operation of the program, with its policy. Building it refuses what is incomplete: an operation without a complete policy,
/// without a handler or with two. A program that holds such an operation does not start.
/// </summary>
public sealed class OperationRegistry
{
    private readonly FrozenDictionary<Type, OperationInfo> operations;

    private OperationRegistry(IEnumerable<OperationInfo> operations) => this.operations = operations.ToFrozenDictionary(info => info.Type);

    /// <summary>All of them.</summary>
    public IEnumerable<OperationInfo> All => operations.Values;

    /// <summary>The operation of this type.</summary>
    /// <exception cref="InvalidOperationException">It is not registered.</exception>
    public OperationInfo Get(Type operation) => operations.TryGetValue(operation, out var info)
        ? info
        : throw new InvalidOperationException($"{operation.Name} is not a registered operation.");

    /// <summary>Registers every operation and handler of the assemblies with the container.</summary>
    /// <exception cref="InvalidOperationException">One is incomplete; the message names all of them.</exception>
    public static OperationRegistry Register(IServiceCollection services, params Assembly[] assemblies) =>
        Register(services, assemblies.SelectMany(assembly => assembly.GetTypes()));

    internal static OperationRegistry Register(IServiceCollection services, IEnumerable<Type> candidates)
    {
        var types = candidates.Where(type => type is { IsAbstract: false, IsInterface: false, ContainsGenericParameters: false }).ToList();
        var handlers = types
            .SelectMany(type => Closed(type, typeof(IHandler<,>)).Select(contract => (Operation: contract.GetGenericArguments()[0], Contract: contract, Handler: type)))
            .ToLookup(handler => handler.Operation);
        var found = new List<OperationInfo>();
        var faults = new List<string>();
        foreach (var type in types)
        {
            foreach (var contract in Closed(type, typeof(IOperation<>)))
            {
                var policy = (Policy?)type.GetProperty(nameof(IOperation<>.Policy), BindingFlags.Public | BindingFlags.Static)?.GetValue(null);
                if (policy is null) faults.Add($"{type.Name} has no policy");
                else if (policy.Incomplete(type, EventCatalogue.Knows) is { } fault) faults.Add($"{type.Name}: {fault}");
                else if (handlers[type].Count() != 1) faults.Add($"{type.Name} has {handlers[type].Count()} handlers");
                else found.Add(new(type, contract.GetGenericArguments()[0], policy, handlers[type].Single().Handler));
            }
        }
        if (faults.Count > 0) throw new InvalidOperationException("Refusing to start. Incomplete operations: " + string.Join("; ", faults) + ".");
        foreach (var handler in handlers.SelectMany(group => group)) services.AddScoped(handler.Contract, handler.Handler);
        var registry = new OperationRegistry(found);
        services.AddSingleton(registry);
        return registry;
    }

    private static IEnumerable<Type> Closed(Type type, Type contract) =>
        type.GetInterfaces().Where(candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == contract);
}
