/** The explorer's mathematics. Nothing here touches a page: numbers in, numbers out. */

export * from "./address";
export * from "./camera";
export * from "./grids";
export * from "./ink";
export * from "./neighbours";
export * from "./numbers";
export * from "./paths";
export * from "./planes";
export * from "./selection";
